//! One order, from the account to the certificate (RFC 8555 section 7).

use std::{sync::Arc, time::Duration};

use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Identifier, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use zeroize::Zeroizing;

use super::{Acme, AcmeError, Answers, Challenge};

/// Longest time for a whole order, the authority's visits included.
const ORDER_MAX: Duration = Duration::from_secs(300);

/// What is said of an account that is not there (RFC 8555 section 6.7).
const UNKNOWN_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// How the state of an order is asked for: soon, then less often.
const ASK: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(250)).timeout(Duration::from_secs(120));

/// A new key and its chain, PEM.
pub(crate) async fn obtain(acme: &Acme, answers: &Arc<Answers>) -> Result<Zeroizing<String>, AcmeError> {
    let obtained = tokio::time::timeout(ORDER_MAX, order(acme, answers)).await;
    answers.clear();
    obtained.map_err(|_| AcmeError::Order(format!("it took longer than {} s", ORDER_MAX.as_secs())))?
}

async fn order(acme: &Acme, answers: &Answers) -> Result<Zeroizing<String>, AcmeError> {
    let account: Account = acme.account().await?;
    let names: Vec<_> = acme.settings.names.iter().cloned().map(Identifier::Dns).collect();
    let mut new = NewOrder::new(&names);
    if let Some(profile) = &acme.settings.profile {
        new = new.profile(profile);
    }
    let mut order = match account.new_order(&new).await {
        Err(instant_acme::Error::Api(problem)) if problem.r#type.as_deref() == Some(UNKNOWN_ACCOUNT) => {
            acme.forget_account().await;
            return Err(AcmeError::Order(
                "it does not know the account any more; a new one is made".to_owned(),
            ));
        }
        ordered => ordered?,
    };
    meet_challenges(&mut order, acme.settings.challenge, answers).await?;
    if order.poll_ready(&ASK).await? != OrderStatus::Ready {
        return Err(AcmeError::Order(why_invalid(&mut order).await));
    }
    let failed = |error: rcgen::Error| AcmeError::Order(error.to_string());
    let mut params = CertificateParams::new(acme.settings.names.clone()).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    let key = KeyPair::generate().map_err(failed)?;
    order.finalize_csr(params.serialize_request(&key).map_err(failed)?.der()).await?;
    let chain = order.poll_certificate(&ASK).await?;
    let key = Zeroizing::new(key.serialize_pem());
    Ok(Zeroizing::new(format!("{}{chain}", key.as_str())))
}

async fn meet_challenges(
    order: &mut Order,
    challenge: Challenge,
    answers: &Answers,
) -> Result<(), AcmeError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let name = authorization.identifier().to_string();
        let kind = match challenge {
            Challenge::Http01 => ChallengeType::Http01,
            Challenge::TlsAlpn01 => ChallengeType::TlsAlpn01,
        };
        let mut met = authorization
            .challenge(kind)
            .ok_or_else(|| AcmeError::Order(format!("it does not offer {challenge} for `{name}`")))?;
        let key_authorization = met.key_authorization();
        match challenge {
            Challenge::Http01 => answers.put_token(&met.token, key_authorization.as_str()),
            Challenge::TlsAlpn01 => answers.put_name(&name, key_authorization.digest().as_ref())?,
        }
        met.set_ready().await?;
    }
    Ok(())
}

/// What the authority says of the names it could not verify.
async fn why_invalid(order: &mut Order) -> String {
    let mut reasons = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let name = authorization.identifier().to_string();
        let Ok(state) = authorization.refresh().await else { continue };
        let errors = state.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
        reasons.extend(errors.map(|error| format!("`{name}`: {error}")));
    }
    if reasons.is_empty() {
        "it refused the order and does not say why".to_owned()
    } else {
        reasons.join("; ")
    }
}
