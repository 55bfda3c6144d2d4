//! What is put on file about people: training and confidentiality agreements.

use super::{Party, Service};
use crate::{
    domain::{
        entry::{AgreementRecorded, Body, TrainingRecorded},
        time::Timestamp,
    },
    error::Error,
    service::{Actor, Reply, Result, stated},
};

/// Nobody is trained longer than this at a time: a week.
const MINUTES_MAX: u32 = 7 * 24 * 60;

/// Training as it is told.
pub(super) struct Trained {
    pub(super) name: String,
    pub(super) minutes: u32,
    pub(super) on: Timestamp,
    pub(super) subject: String,
    pub(super) doc_no: String,
}

impl Service {
    pub(super) fn train(&mut self, actor: &Actor, one: Trained) -> Result<Reply> {
        stated("the subject", &one.subject)?;
        stated("the document number", &one.doc_no)?;
        self.known_account(&one.name)?;
        if one.minutes == 0 || one.minutes > MINUTES_MAX {
            return Err(Error::usage("training lasts up to a week"));
        }
        let zone = self.engine.rules.zone;
        if one.on.date_in(zone) > self.now().date_in(zone) {
            return Err(Error::usage("the day of the training has not come"));
        }
        let Trained { name, minutes, on, subject, doc_no } = one;
        let signed = actor.signed.clone();
        let id = name.clone();
        let body = TrainingRecorded { name, minutes, on, subject, doc_no, signed };
        self.record(actor, Body::TrainingRecorded(body))?;
        let year = on.date_in(zone);
        let all = self.trained(&id, year);
        Ok(Reply::new(&id, format!("'{id}' has {}.{} hours in that year", all / 60, all % 60 / 6)))
    }

    /// Minutes of training of an account in the calendar year of a day.
    pub(super) fn trained(&self, name: &str, day: chrono::NaiveDate) -> u32 {
        use chrono::Datelike;
        let zone = self.engine.rules.zone;
        let of = self
            .engine
            .view
            .people
            .training
            .iter()
            .filter(|one| one.name == name && one.on.date_in(zone).year() == day.year());
        of.map(|one| one.minutes).fold(0, u32::saturating_add)
    }

    pub(super) fn agree(
        &mut self,
        actor: &Actor,
        party: Party,
        doc_no: String,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<Reply> {
        stated("the document number", &doc_no)?;
        if until < from || until < self.now() {
            return Err(Error::usage("the agreement would end before it begins, or has ended"));
        }
        let (name, vendor) = match party {
            Party::Account(name) => {
                self.known_account(&name)?;
                (Some(name), None)
            }
            Party::Vendor(vendor) => {
                stated("the vendor", &vendor)?;
                (None, Some(vendor))
            }
        };
        if name.as_deref() == Some(actor.name()) {
            return Err(Error::refused("nobody records an agreement of his own"));
        }
        let id = name.clone().or_else(|| vendor.clone()).unwrap_or_default();
        let signed = actor.signed.clone();
        let body = AgreementRecorded { name, vendor, doc_no, from, until, signed };
        self.record(actor, Body::AgreementRecorded(body))?;
        Ok(Reply::new(&id, format!("an agreement binds '{id}' until {}", self.day(until))))
    }

    fn known_account(&self, name: &str) -> Result<()> {
        if self.engine.view.accounts.contains_key(name) {
            return Ok(());
        }
        Err(Error::usage(format!("there is no account '{name}'"))
            .hint("'batchward account list' shows the accounts"))
    }
}
