//! Deliveries without a manifest of ours: flat ones, bags, control files. All content is synthetic.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use std::fs;

use super::super::*;
use crate::adapters::age_files::{self, SpoolWriter};
use crate::domain::{
    control::ManifestForm,
    digest::Digest,
    judge::Document,
    limits::{CONTROL_FILES_MAX, DELIVERY_FILES_MAX},
};

struct Site {
    root: tempfile::TempDir,
    inbox: Inbox,
}

fn profile(shape: DeliveryShape, form: ManifestForm) -> Profile {
    let files = (shape == DeliveryShape::Flat).then(|| "*".to_owned());
    Profile { shape, form, files, ..Profile::default() }
}

impl Site {
    fn new(shape: DeliveryShape, form: ManifestForm, files: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["inbox", "spool"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        let inbox = Inbox::open(&root.path().join("inbox")).unwrap();
        let site = Self { root, inbox: inbox.of_form(&profile(shape, form)) };
        files.iter().for_each(|name| site.put(name));
        site
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join("inbox").join(name)
    }

    fn put(&self, name: &str) {
        fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        fs::write(self.at(name), format!("synthetic {name}")).unwrap();
    }

    fn claim(&self, name: &str) -> Claim {
        let recipient = age_files::recipient_of(&age_files::new_identity()).unwrap();
        let spool = self.root.path().join("spool");
        let mut make = |name: &[u8]| {
            let name = format!("{}.age", Digest::of(name));
            SpoolWriter::create(&spool, &name, &recipient).map(Some)
        };
        self.inbox.claim(OsStr::new(name), &spool, &mut make).unwrap()
    }

    fn clear(&self, name: &str, claim: &Claim) -> TreeReport {
        // What is kept of a claim is its text.
        let kept = serde_json::to_string(&claim.folder).unwrap();
        self.inbox.clear(OsStr::new(name), &serde_json::from_str(&kept).unwrap()).unwrap()
    }
}

#[test]
fn a_flat_delivery_over_the_limits_is_cleared_by_its_name_and_no_other_is() {
    let site = Site::new(DeliveryShape::Flat, ManifestForm::Ctl, &["b.ctl", "b.age"]);
    (0..=DELIVERY_FILES_MAX).for_each(|n| site.put(&format!("a.{n}")));
    let claim = site.claim("a");
    assert!(claim.facts.is_over_limit() && claim.folder.seen.is_none());
    let report = site.clear("a", &claim);
    assert_eq!((report.left, report.unlinked + report.overwritten), (0, 301));
    assert_eq!(site.inbox.scan().unwrap().folders, ["b"]);
    assert!(site.at("b.age").exists());
}

#[test]
fn a_delivery_is_cleared_as_it_lay_when_it_was_claimed() {
    let flat = Site::new(DeliveryShape::Flat, ManifestForm::Ctl, &["a.ctl", "a.age"]);
    let claim = flat.claim("a");
    let later = Site { inbox: Inbox::open(&flat.at("")).unwrap(), root: flat.root };
    assert_eq!(later.clear("a", &claim).left, 0);
    assert!(!later.at("a.age").exists() && !later.at("a.ctl").exists());

    let folder = Site::new(DeliveryShape::Folder, ManifestForm::Ctl, &["a/a.ctl", "a/a.age"]);
    let claim = folder.claim("a");
    let changed = profile(DeliveryShape::Flat, ManifestForm::Ctl);
    let later = Site { inbox: folder.inbox.of_form(&changed), root: folder.root };
    assert_eq!(later.clear("a", &claim).left, 0);
    assert!(!later.at("a").exists());
}

#[test]
fn what_came_to_a_flat_delivery_after_its_claim_stays_and_is_told() {
    let site = Site::new(DeliveryShape::Flat, ManifestForm::Ctl, &["a.ctl", "a.age"]);
    let claim = site.claim("a");
    site.put("a.late");
    let report = site.clear("a", &claim);
    assert_eq!((report.left, report.unknown), (0, 1));
    assert!(site.at("a.late").exists() && !site.at("a.age").exists());
}

#[test]
fn what_came_to_a_bags_payload_after_its_claim_stays_and_is_told() {
    let names = ["a/bagit.txt", "a/manifest-sha256.txt", "a/data/one.age", "a/data/two.age"];
    let site = Site::new(DeliveryShape::Folder, ManifestForm::Bag, &names);
    let claim = site.claim("a");
    site.put("a/data/late.age");
    // Another in the place of one that was copied.
    fs::remove_file(site.at("a/data/two.age")).unwrap();
    fs::write(site.at("a/data/two.age"), "synthetic, another").unwrap();
    let report = site.clear("a", &claim);
    assert_eq!((report.left, report.unknown), (0, 2));
    assert!(site.at("a/data/late.age").exists() && site.at("a/data/two.age").exists());
    assert!(!site.at("a/data/one.age").exists() && !site.at("a/bagit.txt").exists());

    let site = Site::new(DeliveryShape::Folder, ManifestForm::Bag, &names);
    let claim = site.claim("a");
    let report = site.clear("a", &claim);
    assert_eq!((report.left, report.unknown, report.overwritten), (0, 0, 4));
    assert!(!site.at("a").exists());
}

#[test]
fn control_documents_are_read_up_to_a_bound_and_not_at_all_of_what_is_over_the_limits() {
    let site = Site::new(DeliveryShape::Folder, ManifestForm::Ctl, &[]);
    (0..100).for_each(|n| site.put(&format!("a/{n:03}.ctl")));
    let control = site.inbox.look("a".as_ref()).unwrap().control;
    assert_eq!(control.len(), CONTROL_FILES_MAX + 1);
    assert_eq!(control.last().unwrap().1, Document::TooLong);

    let site = Site::new(DeliveryShape::Folder, ManifestForm::Ctl, &["a/z"]);
    (0..3).for_each(|n| fs::write(site.at(&format!("a/{n}.ctl")), vec![b' '; 1 << 20]).unwrap());
    let control = site.inbox.look("a".as_ref()).unwrap().control;
    let long: Vec<_> = control.iter().map(|(_, one)| *one == Document::TooLong).collect();
    assert_eq!(long, [false, false, true]);

    (0..=DELIVERY_FILES_MAX).for_each(|n| site.put(&format!("a/{n}.age")));
    let facts = site.inbox.look("a".as_ref()).unwrap();
    assert!(facts.cut && facts.control.is_empty());
}

#[test]
fn a_manifest_in_a_flat_inbox_is_a_stray_and_speaks_for_no_delivery() {
    let names = ["a.ctl", "a.age", "manifest.ctl", "manifest.yaml", "manifest.yaml.sig"];
    let site = Site::new(DeliveryShape::Flat, ManifestForm::Ctl, &names);
    let scan = site.inbox.scan().unwrap();
    assert_eq!(scan.folders, ["a", "manifest"]);
    let strays: Vec<_> = scan.strays.iter().map(|stray| stray.name.to_str().unwrap()).collect();
    assert_eq!(strays, ["manifest.yaml", "manifest.yaml.sig"]);
    for name in ["a", "manifest"] {
        let looked = site.inbox.look(name.as_ref()).unwrap();
        assert_eq!((&looked.manifest, &looked.signature), (&Document::Missing, &Document::Missing));
        assert_eq!(looked.control.len(), 1);
        // The same by what the scan has listed.
        let among = site.inbox.look_among(&scan.names[OsStr::new(name)]).unwrap();
        assert_eq!((among.entries.len(), among.control), (looked.entries.len(), looked.control));
    }
    let claim = site.claim("manifest");
    assert_eq!(site.clear("manifest", &claim).unknown, 0);
    assert!(site.at("manifest.yaml").exists() && !site.at("manifest.ctl").exists());
}

#[test]
fn what_came_into_a_folder_within_a_delivery_after_its_claim_stays_and_is_told() {
    for (form, names) in [
        (
            ManifestForm::Bag,
            ["a/bagit.txt", "a/data/one.age", "a/data/deep/seen", "a/data/deep/er/seen"],
        ),
        (ManifestForm::Ctl, ["a/a.ctl", "a/one.age", "a/deep/seen", "a/deep/er/seen"]),
    ] {
        let site = Site::new(DeliveryShape::Folder, form, &names);
        let claim = site.claim("a");
        assert!(claim.folder.deep);
        let late = names[3].replace("seen", "late");
        site.put(&late);
        let report = site.clear("a", &claim);
        assert_eq!((report.left, report.unknown), (0, 1), "{form:?}");
        assert!(site.at(&late).exists() && !site.at(names[2]).exists(), "{form:?}");
        // Nothing came: all of it goes.
        let site = Site::new(DeliveryShape::Folder, form, &names);
        let report = site.clear("a", &site.claim("a"));
        assert_eq!((report.left, report.unknown, report.overwritten), (0, 0, 4), "{form:?}");
        assert!(!site.at("a").exists());
        // More within than a delivery may have: that goes with its folder, and what came beside it stays.
        let site = Site::new(DeliveryShape::Folder, form, &names);
        (0..DELIVERY_FILES_MAX).for_each(|n| site.put(&names[2].replace("seen", &n.to_string())));
        let claim = site.claim("a");
        assert!(claim.folder.seen.is_some() && !claim.folder.deep);
        site.put("a/late.age");
        let report = site.clear("a", &claim);
        assert_eq!((report.left, report.unknown), (0, 1), "{form:?}");
        assert!(site.at("a/late.age").exists() && !site.at(names[2]).exists(), "{form:?}");
    }
}

#[test]
fn a_folder_with_a_flat_deliverys_name_goes_with_it_and_what_came_into_it_later_stays() {
    let names = ["a.ctl", "a.age", "a.d/seen", "a.d/er/seen"];
    let site = Site::new(DeliveryShape::Flat, ManifestForm::Ctl, &names);
    let claim = site.claim("a");
    assert!(claim.folder.deep);
    site.put("a.d/er/late");
    let report = site.clear("a", &claim);
    assert_eq!((report.left, report.unknown), (0, 1));
    assert!(site.at("a.d/er/late").exists() && !site.at("a.d/seen").exists());
    assert!(!site.at("a.age").exists());
    // Nothing came: all of it goes.
    let site = Site::new(DeliveryShape::Flat, ManifestForm::Ctl, &names);
    let report = site.clear("a", &site.claim("a"));
    assert_eq!((report.left, report.unknown, report.overwritten), (0, 0, 4));
    assert!(!site.at("a.d").exists());
}
