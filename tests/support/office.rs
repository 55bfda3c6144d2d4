//! An office that begins something and would go on with it: one who has every role, and who stands in for him.
//!
//! It is what the pointers of `separation.rs` need: neither the same person goes on, nor the deputy. All of them are synthetic.

use super::Site;

/// Every role that decides.
const ROLES: &str = "custodian,handler,supervisor,auditor,admin";
/// The appointment, for the days of a test.
const DOC: &str = "府社人字第1150001234號";

impl Site<'_> {
    /// Walt has every office at once; dora, who is a handler, stands in for him as a supervisor.
    pub(crate) fn walt_and_dora(&self, unit: &str) {
        for (name, roles) in [("walt", ROLES), ("dora", "handler")] {
            self.people.new_key(name);
            let key = self.people.public(name);
            let add = ["account", "add", name, "--role", roles, "--unit", unit, "--sign-key"];
            self.run_as("ada", &[add.as_slice(), &[key.to_str().unwrap()]].concat()).ok();
            self.run_as("ben", &["account", "confirm", name]).ok();
        }
        let held = self.appointed("walt", &[]);
        let until = ["--until", "2026-12-31", "--deputy-for", &held];
        self.appointed("dora", &until);
    }

    fn appointed(&self, name: &str, more: &[&str]) -> String {
        let add = ["appointment", "add", name, "--post", "supervisor", "--from", "2026-11-21"];
        let add = [add.as_slice(), &["--doc-no", DOC], more].concat();
        let id = self.run_as("ada", &add).ok().id('p');
        self.run_as("ben", &["appointment", "confirm", &id]).ok();
        id
    }

    /// What walt began neither he goes on with, nor dora for him.
    #[track_caller]
    pub(crate) fn neither_walt_nor_dora(&self, words: &[&str]) {
        let own = self.run_as("walt", words).exits(77).stderr;
        assert!(own.contains("it is your own") || own.contains("you asked for"), "{own}");
        let for_him = self.run_as("dora", words).exits(77).stderr;
        assert!(for_him.contains("asked for or decided by 'walt'"), "{for_him}");
    }
}
