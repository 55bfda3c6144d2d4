//! Deliveries on portable media, for a person's own command: whoever has the stick copies it, and the agent takes over
//! what arrives like every delivery.

use std::path::{Path, PathBuf};

use super::{described, site::faults};
use crate::{
    adapters::{
        carrier::{self, CarrierError},
        machine::Machine,
    },
    config::{self, Config},
    domain::{
        control::{DeliveryShape, ManifestForm},
        digest::Digest,
        link::Link,
    },
    error::{Error, Exit},
    service::Result,
};

/// What was copied: names, bytes and SHA-256.
pub type Carried = Vec<(String, u64, Digest)>;

fn failed(error: &CarrierError) -> Error {
    let exit = match error {
        CarrierError::Odd { .. } | CarrierError::NoManifest { .. } => Exit::Data,
        CarrierError::Differs { .. } | CarrierError::Left { .. } => Exit::Failed,
        CarrierError::File(_) => Exit::Unavailable,
    };
    Error::new(exit, described(error))
}

/// The serial number of the stick or disc that holds a folder, where the system knows it.
#[must_use]
pub fn serial_of(path: &Path) -> Option<String> {
    Machine::default().serial(path)
}

/// Whether a folder can be a delivery of a link; `announced`, where a letter stands for what is missing in it.
///
/// # Errors
/// The link is not there or takes no folders, something in it is no plain file, or nothing says what it is.
pub fn is_delivery(config: &Path, link: &str, path: &Path, announced: bool) -> Result<()> {
    let config = config::load(config).map_err(|list| faults(&list))?;
    let profile = &link_of(&config, link)?.profile;
    if profile.shape == DeliveryShape::Flat {
        return Err(Error::usage(
            "the deliveries of this link are no folders: nothing is imported",
        )
        .hint("what is carried comes in folders: 'delivery: folder' in the link's file"));
    }
    match carrier::look(path, profile.form) {
        Err(CarrierError::NoManifest { .. }) if announced => Ok(()),
        looked => looked.map(|_| ()).map_err(|e| failed(&e)),
    }
}

fn link_of<'c>(config: &'c Config, link: &str) -> Result<&'c Link> {
    config.links.get(link).ok_or_else(|| Error::usage("there is no such link"))
}

/// Copies a delivery folder from a medium into the inbox of a link, as `name`.
///
/// # Errors
/// The link is not there, or something cannot be copied.
pub fn carry_in(config: &Path, link: &str, from: &Path, name: &str) -> Result<Carried> {
    let config = config::load(config).map_err(|list| faults(&list))?;
    let link = link_of(&config, link)?;
    carried(carrier::bring(from, &link.inbox, name, link.profile.form))
}

/// Copies a package from its recipient's outbox into a folder of its number on a medium.
///
/// # Errors
/// The recipient or the package is not there, or something cannot be copied.
pub fn carry_out(config: &Path, recipient: &str, number: &str, to: &Path) -> Result<Carried> {
    let package = outbox(config, recipient)?.join(number);
    carried(carrier::copy(&package, &to.join(number), ManifestForm::Ours))
}

/// Whether the package still lies in its recipient's outbox, and the medium has nothing of its number.
///
/// # Errors
/// Either is not so.
pub fn can_carry_out(config: &Path, recipient: &str, number: &str, to: &Path) -> Result<()> {
    let package = outbox(config, recipient)?.join(number);
    carrier::look(&package, ManifestForm::Ours).map_err(|e| failed(&e))?;
    if !to.is_dir() || to.join(number).symlink_metadata().is_ok() {
        return Err(Error::new(
            Exit::Unavailable,
            format!("'{}' is no folder, or holds '{number}' already", to.display()),
        ));
    }
    Ok(())
}

fn outbox(config: &Path, recipient: &str) -> Result<PathBuf> {
    let config = config::load(config).map_err(|list| faults(&list))?;
    let recipient = config.recipients.get(recipient);
    let recipient = recipient.ok_or_else(|| Error::usage("there is no such recipient"))?;
    Ok(recipient.outbox.clone())
}

fn carried(copied: std::result::Result<Vec<carrier::Carried>, CarrierError>) -> Result<Carried> {
    let row =
        |one: carrier::Carried| (one.name.to_string_lossy().into_owned(), one.bytes, one.sha256);
    Ok(copied.map_err(|e| failed(&e))?.into_iter().map(row).collect())
}
