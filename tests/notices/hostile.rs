//! Servers that are not who they say, that refuse, break off, or say too much.

use crate::{
    scene::{Scene, Server},
    support::People,
};

#[test]
fn each_way_in_which_a_server_of_mail_fails_has_its_code_and_the_password_is_said_to_none_that_is_not_verified()
 {
    let people = People::new();
    let scene = Scene::new(&people);
    for (kind, security) in [("mail-tls", "tls"), ("mail-starttls", "starttls")] {
        let server = scene.server(kind);
        scene.tells(security, server.port, "");
        assert_eq!(scene.tries(&["alice"]), (None, String::new()), "{kind}");
        assert_eq!(server.taken().len(), 1);
        for (behaviour, code) in [
            ("greeting-later", Some("unreachable")),
            ("no-reply", Some("protocol")),
            ("banner-giant", Some("limit")),
            ("line-giant", Some("limit")),
            ("no-auth", Some("login-refused")),
            ("wrong-password", Some("login-refused")),
            ("sender-refused", Some("refused")),
            ("later", Some("not-now")),
            ("refused", Some("refused")),
            ("data-refused", Some("refused")),
            ("login", None),
        ] {
            server.behave(behaviour);
            let (found, said) = scene.tries(&["alice"]);
            assert_eq!(found.as_deref(), code, "{kind} {behaviour}: {said}");
            assert!(said.len() <= 800, "{said}");
        }
        assert_eq!(server.taken().len(), 2, "the first, and that of AUTH LOGIN");
        if security == "starttls" {
            for (behaviour, code) in [("no-starttls", "no-tls"), ("early", "protocol")] {
                server.behave(behaviour);
                assert_eq!(scene.tries(&["alice"]).0.as_deref(), Some(code), "{behaviour}");
            }
        } else {
            server.behave("plain");
            assert_eq!(scene.tries(&["alice"]).0.as_deref(), Some("protocol"));
        }
    }
}

#[test]
fn a_line_that_is_cut_anywhere_leaves_nothing_sent_that_was_not_taken() {
    let people = People::new();
    let scene = Scene::new(&people);
    let server = scene.server("mail-starttls");
    scene.tells("starttls", server.port, "");
    let mut codes = Vec::new();
    // Greeting, EHLO, STARTTLS, EHLO, AUTH, MAIL, RCPT, DATA, the mail, QUIT.
    for line in 0..=9 {
        server.behave(&format!("cut:{line}"));
        codes.push(scene.tries(&["alice"]).0);
    }
    let broke = || Some("unreachable".to_owned());
    assert_eq!(codes[..9], std::array::from_fn::<_, 9, _>(|_| broke()));
    assert_eq!(codes[9], None, "a mail that was taken is sent, whatever is said after that");
    assert_eq!(server.taken().len(), 1);
}

#[test]
fn a_certificate_of_another_name_or_of_nobody_is_no_server_and_hears_nothing() {
    let people = People::new();
    let scene = Scene::new(&people);
    for (kind, security) in [("mail-tls", "tls"), ("mail-starttls", "starttls"), ("webhook", "")] {
        for certificate in ["wrong", "other"] {
            let folder = scene.certificates.file(&format!("{kind}-{certificate}"));
            let server = Server::start(&scene.certificates, kind, certificate, &folder, 0);
            let words: &[&str] = if kind == "webhook" {
                scene.posts(server.port);
                &["--webhook"]
            } else {
                scene.tells(security, server.port, "");
                &["alice"]
            };
            let (code, said) = scene.tries(words);
            assert_eq!(code.as_deref(), Some("certificate"), "{kind} {certificate}: {said}");
            let heard = server.heard();
            assert!(!heard.contains("AUTH") && !heard.contains("POST"), "{heard}");
            assert!(server.taken().is_empty());
        }
    }
}

#[test]
fn a_webhook_has_a_notice_when_it_answers_2xx_and_no_redirect_is_followed() {
    let people = People::new();
    let scene = Scene::new(&people);
    let server = scene.server("webhook");
    scene.posts(server.port);
    for (behaviour, code) in [
        ("ok", None),
        ("long", None),
        ("answers:301", Some("refused")),
        ("answers:307", Some("refused")),
        ("answers:404", Some("refused")),
        ("answers:401", Some("login-refused")),
        ("answers:429", Some("not-now")),
        ("answers:500", Some("not-now")),
        ("giant", Some("limit")),
        ("cut", Some("unreachable")),
    ] {
        server.behave(behaviour);
        let (found, said) = scene.tries(&["--webhook"]);
        assert_eq!(found.as_deref(), code, "{behaviour}: {said}");
    }
    let taken = server.taken();
    assert_eq!(taken.len(), 2);
    let (line, body) = taken[0].split_once('\n').unwrap();
    assert_eq!(line, "POST /hook?x=y HTTP/1.1");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["format"], "batchward/notice/1");
    assert_eq!(body["kind"], "test");
    assert!(!server.heard().contains("elsewhere"));
}

#[test]
fn a_password_that_others_can_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt;

    let people = People::new();
    let scene = Scene::new(&people);
    let server = scene.server("mail-tls");
    scene.tells("tls", server.port, "");
    let path = scene.site.dir.join("mail.password");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(scene.tries(&["alice"]).0.as_deref(), Some("own-files"));
    assert!(server.heard().is_empty());
}
