//! Notices on the screen: trying one.

use std::path::Path;

use super::{args::NoticesWord, print};
use crate::{
    error::{Error, Exit},
    service::Result,
    wiring,
};

/// `notices test`.
///
/// # Errors
/// Nobody of this name is told, or the server did not take it: the answer says why.
pub(super) fn run(config: &Path, word: &NoticesWord, json: bool) -> Result<()> {
    let NoticesWord::Test { name, .. } = word;
    let done = wiring::test_notice(config, name.as_deref())?;
    if json {
        print::json(&done)?;
    } else {
        print::raw(&format!("{}:{}", done.host, done.port))?;
        if let Some(detail) = &done.detail {
            print::line(&format!("  {detail}"))?;
        }
        if done.trouble.is_none() {
            print::line(&match &done.address {
                Some(address) => format!("the server has taken a mail to '{address}'"),
                None => "the webhook has taken it".to_owned(),
            })?;
        }
    }
    match done.trouble {
        None => Ok(()),
        Some(code) => Err(Error::new(Exit::Failed, format!("the notice was not sent: {code}"))
            .hint("docs/notices.md says what to do about each code")),
    }
}
