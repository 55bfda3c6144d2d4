//! A letter or a notice that nothing comes of is taken back: what was entered stays, with the reason.

use super::{Actor, Reply, Result, Service, stated};
use crate::{
    domain::{
        entry::{AnnouncementWithdrawn, Body},
        ids::NoticeId,
        notified::NotifiedState,
    },
    error::Error,
};

impl Service {
    pub(super) fn announce_withdraw(
        &mut self,
        actor: &Actor,
        notice: NoticeId,
        reason: String,
    ) -> Result<Reply> {
        stated("the reason", &reason)?;
        let row = self.notified(notice)?;
        if let Some(batch) = row.batch {
            return Err(Error::usage(format!("'{batch}' came of '{notice}' already")).hint(
                format!(
                    "'batchward batch reject {batch} --reason TEXT' turns a quarantined batch down"
                ),
            ));
        }
        if row.state() == NotifiedState::Withdrawn {
            return Err(Error::usage(format!("'{notice}' was taken back already")));
        }
        let told = row.state() == NotifiedState::Told;
        let signed = actor.signed.clone();
        let body = AnnouncementWithdrawn { notice, reason, signed };
        self.record(actor, Body::AnnouncementWithdrawn(body))?;
        Ok(if told {
            Reply::new(&notice, "the notice is taken back")
        } else {
            Reply::new(&notice, "the announcement is taken back")
        })
    }

    /// Nothing goes on with a notice that was taken back: what is told of anew has a row, and a number, of its own.
    pub(super) fn not_taken_back(&self, notice: NoticeId) -> Result<()> {
        let row = self.engine.view.notices.rows.get(&notice);
        if row.is_some_and(|row| row.closed.is_some() && row.batch.is_none()) {
            return Err(Error::usage(format!("'{notice}' was taken back already"))
                .hint("name the link by --link: it is a row of its own"));
        }
        Ok(())
    }
}
