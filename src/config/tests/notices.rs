//! `notices:` of agent.yaml, whole and broken.

use super::{super::inforce, Site};
use crate::domain::notice::{Security, Tongue};

const WHOLE: &str = "site: small
notices:
  mail:
    host: mail.agency.example
    security: starttls
    user: batchward
    password: credential:batchward.mail
    from: batchward@agency.example
    ca: certs/mail.pem
  webhook:
    url: https://hooks.agency.example:8443/a?b=c
    token: file:hook.token
  to:
    安娜: anna@agency.example
    supervisor: head@agency.example
  digest: working day 08:00
  alarms: false
  language: en
";

#[test]
fn all_of_it_is_read_and_comes_back_from_what_was_agreed_to() {
    let site = Site::new();
    site.write("agent.yaml", WHOLE);
    let agent = site.load().unwrap().agent;
    let wanted = agent.notices.clone().unwrap();
    let mail = wanted.mail.as_ref().unwrap();
    assert_eq!((mail.port, mail.security), (587, Security::Starttls));
    assert_eq!(mail.ca, Some(site.path("certs/mail.pem")));
    assert_eq!((wanted.alarms, wanted.tongue), (false, Tongue::English));
    assert_eq!(wanted.ports().collect::<Vec<_>>(), [587, 8443]);
    assert_eq!(wanted.to["安娜"], "anna@agency.example");
    assert_eq!(agent.under(&agent.agreed()).notices, Some(wanted));
}

#[test]
fn what_may_be_left_out_has_its_default_and_any_change_waits() {
    let site = Site::new();
    site.write("agent.yaml", "site: small\n");
    let none = site.load().unwrap();
    let text = "site: small\nnotices: {mail: {host: m.example, from: a@b.example}, to: {admin: a@b.example}}\n";
    site.write("agent.yaml", text);
    let some = site.load().unwrap();
    let wanted = some.agent.notices.as_ref().unwrap();
    let mail = wanted.mail.as_ref().unwrap();
    assert_eq!((mail.port, mail.security, &mail.login), (465, Security::Tls, &None));
    assert_eq!((wanted.digest.to_string().as_str(), wanted.alarms), ("day 08:00", true));
    assert_eq!(wanted.tongue, Tongue::Chinese);
    site.write("agent.yaml", text.replace("a@b.example}}", "c@b.example}}"));
    let other = site.load().unwrap();
    for (before, after) in [(&none, &some), (&some, &none), (&some, &other)] {
        let compared = inforce::compare(before, after);
        assert_eq!(compared.tightened, []);
        let codes: Vec<_> = compared.pending.iter().map(|change| change.code.as_str()).collect();
        assert_eq!(codes, ["notices"]);
        assert_eq!(compared.effective.agent.notices, before.agent.notices);
    }
}

#[test]
fn every_fault_is_told_at_once_and_no_secret_is_repeated() {
    let site = Site::new();
    site.write(
        "agent.yaml",
        "site: small
notices:
  mail:
    host: 'm x'
    port: 0
    security: none
    user: batchward
    password: hunter2
    from: nobody
    danger: true
  webhook:
    url: http://user:hunter2@hooks.example/
  to:
    anna: 'a@b>c'
  digest: sometimes
  alarms: maybe
  language: fr
",
    );
    let faults = site.faults();
    for field in [
        "mail.host",
        "mail.port",
        "mail.security",
        "mail.password",
        "mail.from",
        "mail.danger",
        "webhook.url",
        "webhook.token",
        "notices.to",
        "notices.digest",
        "notices.alarms",
        "notices.language",
    ] {
        assert_eq!(
            faults.iter().filter(|fault| fault.contains(field)).count(),
            1,
            "{field}: {faults:#?}"
        );
    }
    assert!(faults.iter().all(|fault| fault.contains("hint: ") && !fault.contains("hunter2")));
    site.write("agent.yaml", "site: small\nnotices: {to: {anna: a@b.example}}\n");
    assert_eq!(site.faults().len(), 2, "{:#?}", site.faults());
}
