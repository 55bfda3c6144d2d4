//! What a sample is drawn from: the askings of a link and period, counted as its rule says.
//!
//! Entries are opened with the keys of link and month that are still there, counted and forgotten. Of a month whose key was
//! destroyed nothing can be counted: it is named, and every sample and proof says so.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    domain::{
        access::{LogFilter, Operation, Payload},
        entry::SampleTerms,
        sampling::{ByAccount, Counted, Item},
        time::Timestamp,
    },
    engine::{
        ports::{Flow, Log},
        slots,
    },
    service::{
        Result, Service,
        access_lines::{LogSource, Opened, SERVED_SECONDS_MAX},
    },
};

/// What is counted, and what is in the sample in any case.
#[derive(Default)]
pub(super) struct Population {
    /// What was asked and shown, in its order.
    pub(super) items: Vec<Item>,
    /// Who asked, by place.
    pub(super) who: BTreeMap<u64, String>,
    /// What was refused.
    pub(super) refused: ByAccount,
    /// Months of which nothing could be counted.
    pub(super) unread: Vec<String>,
    /// Entries of the access log that the period's end left.
    pub(super) tree_size: u64,
}

impl Service {
    /// Counts the askings of a link between two moments.
    pub(super) fn population(
        &self,
        link: &str,
        (from, until): (Timestamp, Timestamp),
        counted: Counted,
    ) -> Result<Population> {
        let source = self.source_of(link, (from, until))?;
        let mut found = Population {
            tree_size: source.first_from(Timestamp::from_millis(until.millis() + 1))?,
            ..Population::default()
        };
        let start = source.first_from(from)?;
        let mut cases: BTreeMap<String, u64> = BTreeMap::new();
        source.walk(start, Some(until), &mut |seq, entry| {
            match source.open(entry) {
                Opened::Payload(Payload::Asked {
                    who,
                    operation: Operation::Query | Operation::Match | Operation::Verify,
                    case_no,
                    refused,
                    ..
                }) => {
                    if refused.is_some() {
                        found.refused.entry(who).or_default().push(seq);
                    } else {
                        let case = cases.entry(case_no.trim().to_owned()).or_insert(seq);
                        let unit = if counted == Counted::Cases { *case } else { seq };
                        found.items.push(Item { entry: seq, unit, records: 1 });
                        found.who.insert(seq, who);
                    }
                }
                Opened::Payload(_) => {}
                Opened::Destroyed | Opened::Unreadable => {
                    if !found.unread.contains(&entry.month) {
                        found.unread.push(entry.month.clone());
                    }
                }
            }
            Flow::On
        })?;
        if counted == Counted::Records {
            self.records(&source, start, until, &mut found.items)?;
        }
        Ok(found)
    }

    /// How many records each asking showed: its end stands behind it, also after the end of the period.
    fn records(
        &self,
        source: &LogSource,
        start: u64,
        until: Timestamp,
        items: &mut [Item],
    ) -> Result<()> {
        let until = until.plus_seconds(SERVED_SECONDS_MAX);
        source.walk(start, Some(until), &mut |_, entry| {
            if let Opened::Payload(Payload::Served { asked, rows, .. }) = source.open(entry)
                && let Ok(at) = items.binary_search_by_key(&asked, |item| item.entry)
                && let Some(item) = items.get_mut(at)
            {
                item.records = rows.max(1);
            }
            Flow::On
        })?;
        Ok(())
    }

    fn source_of(&self, link: &str, (from, until): (Timestamp, Timestamp)) -> Result<LogSource> {
        let ports = &self.engine.ports;
        let mut keys = BTreeMap::new();
        for (of, month) in self.engine.view.access_keys.keys().filter(|(of, _)| of == link) {
            let key = ports.keys.live(&slots::access(of, month))?;
            keys.insert((of.clone(), month.clone()), key);
        }
        let filter = LogFilter {
            link: Some(link.to_owned()),
            from: Some(from),
            until: Some(until),
            ..LogFilter::default()
        };
        Ok(LogSource {
            reader: ports.journal.reader()?,
            opener: Arc::clone(&ports.opener),
            keys,
            filter,
            chosen: None,
            zone: self.engine.rules.zone,
            names: self.engine.view.people.names.clone(),
            end: ports.journal.size(Log::Access)?,
            over: Arc::default(),
        })
    }

    /// What a sample was drawn from, counted again.
    pub(super) fn population_of(&self, terms: &SampleTerms) -> Result<Population> {
        self.population(&terms.link, (terms.from, terms.until), terms.unit)
    }
}
