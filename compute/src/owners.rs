//! Whom jobs may give the files they make.

use skrei_job::{
    NodeId,
    outcome::{Refusal, Rule},
    ownership::{self, FileMode},
};
use skrei_runtime::{Owner, Ownership, Permissions};

use crate::{Error, accounts::Accounts};

/// Whom jobs may give the files they make: the node's own user and group, and whom its owner lists.
#[derive(Clone, Debug)]
pub(crate) struct Owners {
    own: Owner,
    allowed: Vec<Owner>,
    written: Vec<String>,
}

impl Owners {
    /// Reads `Compute.AllowedOwners`: `USER[:GROUP]`, looked up once.
    pub(crate) fn parse(entries: &[String], accounts: &Accounts) -> Result<Self, Error> {
        let parse = |entry: &String| {
            let wrong = |message| Error::AllowedOwners { entry: entry.clone(), message };
            let owner = entry.parse().map_err(|_| wrong("is not `USER` or `USER:GROUP`"))?;
            look_up(&owner, accounts).map_err(wrong)
        };
        let own =
            Owner { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() };
        let allowed = entries.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { own, allowed, written: entries.to_vec() })
    }

    /// What the sandbox has to do for a mount, if the node's owner allows it.
    pub(crate) fn permit(
        &self,
        node: &NodeId,
        wanted: &ownership::Ownership,
        accounts: impl FnOnce() -> Accounts,
    ) -> Result<Ownership, Box<Refusal>> {
        let owner = wanted.owner.as_ref().map(|owner| self.owner(node, owner, &accounts())).transpose()?;
        let mode = |mode: FileMode| Permissions::new(mode.bits());
        Ok(Ownership {
            file: wanted.file.and_then(mode),
            named: wanted.named.iter().filter_map(|(name, of)| Some((name.clone(), mode(*of)?))).collect(),
            dir: wanted.dir.and_then(mode),
            owner,
        })
    }

    fn owner(
        &self,
        node: &NodeId,
        wanted: &ownership::Owner,
        accounts: &Accounts,
    ) -> Result<Owner, Box<Refusal>> {
        let owner = look_up(wanted, accounts).map_err(|message| {
            let message = format!("node `{node}` cannot make files of `{wanted}`: the owner {message}");
            refusal(message, "write numbers (`Owner: UID:GID`), or names the node has")
        })?;
        if owner == self.own || self.allowed.contains(&owner) {
            return Ok(owner);
        }
        let Owner { uid, gid } = owner;
        let tried = match self.written.as_slice() {
            [] => "none is allowed but the node's own".to_owned(),
            written => format!("tried `{}`", written.join("`, `")),
        };
        let message =
            format!("node `{node}` does not let jobs make files of `{wanted}` ({uid}:{gid}; {tried})");
        Err(refusal(
            message,
            &format!("the node's owner can allow it with `-c Compute.AllowedOwners={wanted}`"),
        ))
    }
}

fn look_up(owner: &ownership::Owner, accounts: &Accounts) -> Result<Owner, &'static str> {
    let (uid, own_group) = accounts.user(&owner.user).ok_or("names a user that this host does not have")?;
    let gid = match &owner.group {
        Some(group) => accounts.group(group).ok_or("names a group that this host does not have")?,
        None => own_group.ok_or("is a number without a group of its own; write `UID:GID`")?,
    };
    // The highest number means `leave it as it is` to the system.
    if uid == u32::MAX || gid == u32::MAX {
        return Err("is no number of a user or group");
    }
    Ok(Owner { uid, gid })
}

fn refusal(message: String, hint: &str) -> Box<Refusal> {
    Box::new(Refusal { rule: Rule::Owner, message, hint: Some(hint.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts::listed(
            "root:x:0:0::/root:/bin/sh\nnginx:x:101:201::/:/bin/false\nbroken\n",
            "web:x:33:a,b\n",
        )
    }

    fn permit(allowed: &[&str], wanted: &str) -> Result<Owner, String> {
        let entries: Vec<_> = allowed.iter().map(|&entry| entry.to_owned()).collect();
        let mut owners = Owners::parse(&entries, &accounts()).map_err(|error| error.to_string())?;
        owners.own = Owner { uid: 7, gid: 8 };
        let wanted = ownership::Ownership { owner: wanted.parse().ok(), ..ownership::Ownership::default() };
        let permitted = owners.permit(&NodeId::new("web-1"), &wanted, accounts);
        permitted.map(|given| given.owner.unwrap()).map_err(|refusal| {
            assert_eq!(refusal.rule, Rule::Owner);
            refusal.message
        })
    }

    #[test]
    fn nobody_but_the_node_itself_unless_its_owner_says_so() {
        assert_eq!(permit(&[], "7:8"), Ok(Owner { uid: 7, gid: 8 }));
        for wanted in ["root", "0:0", "7:0", "0:8", "nginx:web"] {
            assert!(permit(&[], wanted).unwrap_err().contains("`web-1`"), "{wanted}");
        }
        assert_eq!(permit(&["nginx"], "101:201"), Ok(Owner { uid: 101, gid: 201 }));
        assert_eq!(permit(&["nginx:web"], "nginx:33"), Ok(Owner { uid: 101, gid: 33 }));
        assert!(permit(&["nginx:web"], "nginx").is_err(), "another group is another owner");
        assert!(permit(&["nginx"], "root").unwrap_err().contains("`nginx`"), "what was tried is said");
    }

    #[test]
    fn who_is_not_there_is_refused_by_name() {
        assert!(permit(&[], "nobody-here").unwrap_err().contains("does not have"));
        assert!(permit(&[], "nginx:no-such").unwrap_err().contains("does not have"));
        assert!(permit(&[], "555").unwrap_err().contains("UID:GID"));
        assert!(permit(&["4294967295:0"], "0:0").unwrap_err().contains("4294967295"));
        assert!(permit(&["x y"], "0:0").unwrap_err().contains("USER:GROUP"));
    }
}
