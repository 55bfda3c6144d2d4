//! The government's calendars of working days, as `init` lays them into a site.

use std::{fs, path::Path};

use super::refusal;
use crate::{
    adapters::files,
    config::templates,
    error::{Error, Exit},
    service::Result,
};

/// Puts what is missing of the shipped calendars into a site. A folder that holds others is its people's: a year may stand
/// there under another name.
pub(super) fn shipped(dir: &Path, made: &mut Vec<String>) -> Result<()> {
    let folder = dir.join("policies/calendars");
    let years = templates::CALENDARS.iter().map(|(year, text)| (format!("{year}.csv"), *text));
    let ours: Vec<(String, &str)> =
        years.chain([("README.md".to_owned(), templates::CALENDARS_README)]).collect();
    let listed = fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut names = listed.map(|entry| entry.file_name().to_string_lossy().into_owned());
    if names.any(|name| name.ends_with(".csv") && !ours.iter().any(|(own, _)| *own == name)) {
        return Ok(());
    }
    fs::create_dir_all(&folder)
        .map_err(|e| Error::new(Exit::Failed, format!("'{}': {e}", folder.display())))?;
    let mut any = false;
    for (name, text) in ours {
        let path = folder.join(name);
        if !path.exists() {
            files::create_new(&path, text.as_bytes(), "example").map_err(|e| refusal::file(&e))?;
            any = true;
        }
    }
    if any {
        let what = "made 'policies/calendars', the government's calendars of working days";
        made.push(what.to_owned());
    }
    Ok(())
}
