//! The users and groups of this host, by name and number.

/// The users and groups of this host, as `passwd` and `group` files list them. Directories behind them (LDAP and
/// the like) are not asked: for those write numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    passwd: String,
    group: String,
}

impl Accounts {
    /// What a host lists now; a file that is not there lists nobody.
    pub(crate) fn of_host() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        Self { passwd: read("/etc/passwd"), group: read("/etc/group") }
    }

    /// A user by name or number, and its own group if it has an entry.
    pub(crate) fn user(&self, user: &str) -> Option<(u32, Option<u32>)> {
        let number = user.parse().ok();
        let entry = self.passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let uid = fields.nth(1)?.parse::<u32>().ok()?;
            let gid = fields.next()?.parse::<u32>().ok()?;
            (name == user || number == Some(uid)).then_some((uid, Some(gid)))
        });
        entry.or_else(|| number.map(|uid| (uid, None)))
    }

    /// A group by name or number.
    pub(crate) fn group(&self, group: &str) -> Option<u32> {
        let named = self.group.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == group).then(|| fields.nth(1)?.parse().ok())?
        });
        named.or_else(|| group.parse().ok())
    }

    #[cfg(test)]
    pub(crate) fn listed(passwd: &str, group: &str) -> Self {
        Self { passwd: passwd.to_owned(), group: group.to_owned() }
    }
}
