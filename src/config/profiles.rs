//! `delivery:`, `manifest:` and what goes with them in a link: how its deliveries are, where they are not folders with a
//! manifest of ours.

use std::collections::BTreeMap;

use super::reader::{Form, Reader, form};
use crate::domain::{
    control::{ControlField, DeliveryShape, ManifestForm, Profile},
    manifest::Kind,
    notified::is_pattern,
};

const SHAPE: Form<'_> = form("folder or flat", "flat");
const FILES: Form<'_> = form("a pattern of file names with * and ?", "'HR*.age'");
const MANIFEST: Form<'_> = form("ours, ctl, sha256sums, bagit or letter", "ctl");
const FIELDS: Form<'_> = form("what fields are called", "{records: 總筆數}");
const LABEL: Form<'_> = form("what the provider calls the field", "總筆數");
const KIND: Form<'_> = form("full or delta", "full");
const UNSIGNED: Form<'_> = form("true or false", "false");

/// Reads the profile of a link; `sourced` where its deliveries are fetched from a server.
pub(super) fn parse(link: &mut Reader, zone: chrono_tz::Tz, sourced: bool) -> Option<Profile> {
    let shape = link.maybe("delivery", SHAPE, DeliveryShape::parse);
    let manifest = link.maybe("manifest", MANIFEST, ManifestForm::parse);
    let kind = link.maybe("control_kind", KIND, |text| {
        Kind::ALL.iter().copied().find(|kind| kind.word() == text)
    });
    let unsigned = link.maybe("control_unsigned", UNSIGNED, |text| text.parse().ok());
    let files = link.maybe("files", FILES, |text| is_pattern(text).then(|| text.to_owned()));
    let labels = labels(link);
    let flat = shape.as_ref().is_some_and(|shape| shape.value == DeliveryShape::Flat);
    let folders = manifest
        .as_ref()
        .is_none_or(|form| matches!(form.value, ManifestForm::Ours | ManifestForm::Bag));
    if let Some(shape) = shape.as_ref().filter(|_| flat && (folders || files.is_none())) {
        let what =
            "'delivery' is 'flat': expected 'files', and a 'manifest' of ctl, sha256sums or letter";
        link.faults().add(shape.at, what, Some("files: 'HR*.age'"));
        return None;
    }
    if let Some(files) = files.as_ref().filter(|_| !flat) {
        let what = "'files' is there, and 'delivery' is not 'flat'";
        link.faults().add(files.at, what, Some("add  delivery: flat  or leave it out"));
        return None;
    }
    if let Some(form) = &manifest
        && sourced
        && form.value != ManifestForm::Ours
    {
        let what = "'manifest' is not 'ours', and deliveries are fetched from a server";
        let hint = "leave 'source' out: what has no manifest of ours is put into the inbox";
        link.faults().add(form.at, what, Some(hint));
        return None;
    }
    let form = manifest.map_or(ManifestForm::Ours, |form| form.value);
    Some(Profile {
        shape: shape.map_or(DeliveryShape::Folder, |shape| shape.value),
        form,
        files: files.map(|files| files.value),
        labels,
        kind: kind.map_or(Kind::Full, |kind| kind.value),
        unsigned: unsigned.is_some_and(|unsigned| unsigned.value),
        zone,
    })
}

fn labels(link: &mut Reader) -> BTreeMap<ControlField, String> {
    let Some(node) = link.node("control_fields") else { return BTreeMap::new() };
    let Some(mut inner) = link.inner("control_fields", &node) else { return BTreeMap::new() };
    let mut labels = BTreeMap::new();
    for field in ControlField::ALL {
        if inner.has(field.word())
            && let Some(label) = inner.text(field.word(), LABEL)
        {
            labels.insert(*field, label.value);
        }
    }
    if labels.is_empty() {
        inner.wrong(node.at, "control_fields", "names no field", FIELDS);
    }
    inner.finish();
    labels
}

/// As it is written into the configuration in force.
pub(super) fn render(profile: &Profile) -> String {
    let json = |text: &str| serde_json::Value::from(text).to_string();
    let mut lines = String::new();
    let mut line = |name: &str, value: &str| lines.push_str(&format!("{name}: {value}\n"));
    if profile.shape != DeliveryShape::Folder {
        line("delivery", profile.shape.word());
    }
    if profile.form != ManifestForm::Ours {
        line("manifest", profile.form.word());
    }
    if let Some(files) = &profile.files {
        line("files", &json(files));
    }
    if profile.kind != Kind::Full {
        line("control_kind", profile.kind.word());
    }
    if profile.unsigned {
        line("control_unsigned", "true");
    }
    if !profile.labels.is_empty() {
        let pairs: Vec<String> = profile
            .labels
            .iter()
            .map(|(field, label)| format!("{}: {}", field.word(), json(label)))
            .collect();
        line("control_fields", &format!("{{{}}}", pairs.join(", ")));
    }
    lines
}
