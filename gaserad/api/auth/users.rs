//! The users of this machine, by the lists that it keeps.
//!
//! What is not in `/etc/passwd` and `/etc/group`, like users of a directory service, is named by its number.

use std::collections::{BTreeMap, BTreeSet};

/// Some of the users of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    uids: BTreeSet<u32>,
    gids: BTreeSet<u32>,
}

/// The lists as they are when the daemon starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    users: BTreeMap<String, u32>,
    groups: BTreeMap<String, (u32, Vec<String>)>,
}

impl Directory {
    /// From the text of the two lists.
    pub fn parse(passwd: &str, group: &str) -> Self {
        let lines = |text: &str| -> Vec<Vec<String>> {
            text.lines().map(|line| line.split(':').map(str::to_owned).collect()).collect()
        };
        let number = |fields: &[String]| fields.get(2).and_then(|field| field.parse().ok());
        let users = lines(passwd).into_iter().filter_map(|fields| Some((fields.first()?.clone(), number(&fields)?)));
        let groups = lines(group).into_iter().filter_map(|fields| {
            let members = fields.get(3).map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default();
            Some((fields.first()?.clone(), (number(&fields)?, members)))
        });
        Self { users: users.collect(), groups: groups.collect() }
    }

    pub fn name_of(&self, uid: u32) -> Option<&str> {
        self.users.iter().find(|(_, number)| **number == uid).map(|(name, _)| name.as_str())
    }

    /// Those that `names` lists: users like `ada` or `1000`, groups like `group:lab` or `group:100`.
    pub fn find(&self, names: &[String]) -> Result<Users, String> {
        let mut found = Users::default();
        for name in names {
            if let Some(group) = name.strip_prefix("group:") {
                self.add_group(group, &mut found)?;
            } else {
                let uid = self.users.get(name).copied().or_else(|| name.parse().ok());
                found.uids.insert(uid.ok_or_else(|| unknown("user", name))?);
            }
        }
        Ok(found)
    }

    fn add_group(&self, name: &str, found: &mut Users) -> Result<(), String> {
        if let Some((gid, members)) = self.groups.get(name) {
            found.gids.insert(*gid);
            found.uids.extend(members.iter().filter_map(|member| self.users.get(member)));
            return Ok(());
        }
        found.gids.insert(name.parse().map_err(|_| unknown("group", name))?);
        Ok(())
    }
}

fn unknown(what: &str, name: &str) -> String {
    format!("there is no {what} {name} in this machine's lists; write it as `getent` shows it, or its number")
}

impl Users {
    pub fn has(&self, uid: u32, gid: u32) -> bool {
        self.uids.contains(&uid) || self.gids.contains(&gid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_by_number_and_by_group() {
        let directory = Directory::parse(
            "root:x:0:0::/:/bin/sh\nada:x:1000:1000::/:/bin/sh\nbob:x:1001:50::/:/bin/sh\nbroken\n",
            "lab:x:50:ada,gone\nempty:x:60:\n",
        );
        let has = |names: &[&str], uid, gid| {
            directory.find(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap().has(uid, gid)
        };
        assert!(has(&["ada"], 1000, 1000) && !has(&["ada"], 1001, 50));
        assert!(has(&["4000000"], 4_000_000, 1));
        assert!(has(&["group:lab"], 1000, 1000) && has(&["group:lab"], 1001, 50) && !has(&["group:lab"], 2, 2));
        assert!(has(&["group:99"], 7, 99) && !has(&["group:empty"], 7, 7));
        assert!(directory.find(&["eve".into()]).unwrap_err().contains("no user eve"));
        assert!(directory.find(&["group:eve".into()]).unwrap_err().contains("no group eve"));
        assert_eq!((directory.name_of(1001), directory.name_of(5)), (Some("bob"), None));
    }
}
