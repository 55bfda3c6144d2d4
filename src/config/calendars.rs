//! `policies/calendars/*.csv`: the government's calendars of working days, a year a file.
//!
//! A file is named as its site likes; which year it is, its lines say. One that has a fault, or whose year another file has
//! already, makes the configuration one with a fault: nobody counts by half a calendar.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    broken_at,
    node::{Fault, FaultKind},
    read_file,
};
use crate::domain::calendar::{WorkingDays, office::OfficeYear};

/// The folder, within that of the policies.
pub(super) const FOLDER: &str = "calendars";

/// How the names of the files begin in a configuration.
pub(super) const FILES: &str = "policies/calendars/";

/// Reads them; none where the folder is not there.
pub(super) fn read(
    policies: &Path,
    own: u32,
    files: &mut BTreeMap<String, Vec<u8>>,
    faults: &mut Vec<Fault>,
) -> WorkingDays {
    let mut years: BTreeMap<i32, (PathBuf, OfficeYear)> = BTreeMap::new();
    for path in csv_files(&policies.join(FOLDER), faults) {
        let Some(bytes) = read_file(&path, own, faults) else { continue };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match parse(&path, &bytes) {
            Err(list) => faults.extend(list),
            Ok(year) => {
                if let Some((other, _)) = years.get(&year.year()) {
                    let what = format!(
                        "the year {} stands in '{}' already",
                        year.year(),
                        other.file_name().unwrap_or_default().to_string_lossy()
                    );
                    faults.push(super::whole(&path, what, Some("keep one of them")));
                }
                years.insert(year.year(), (path, year));
            }
        }
        files.insert(format!("{FILES}{name}"), bytes);
    }
    WorkingDays::of(years.into_values().map(|(_, year)| year))
}

fn parse(path: &Path, bytes: &[u8]) -> Result<OfficeYear, Vec<Fault>> {
    let fault = |line, column, what: String, hint: &str| Fault {
        file: path.to_owned(),
        line,
        column,
        what,
        hint: Some(hint.to_owned()),
        kind: FaultKind::Wrong,
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        let at = broken_at(bytes);
        let hint = "save it as UTF-8 (in a Windows editor: 'UTF-8', not 'ANSI' or 'Big5')";
        return Err(vec![fault(at.line, at.column, "the file is not UTF-8".to_owned(), hint)]);
    };
    OfficeYear::parse(text)
        .map_err(|list| list.into_iter().map(|f| fault(f.line, f.column, f.what, f.hint)).collect())
}

/// The `*.csv` of the folder, in the order of their names.
fn csv_files(dir: &Path, faults: &mut Vec<Fault>) -> Vec<PathBuf> {
    let listed: std::io::Result<Vec<PathBuf>> = fs::read_dir(dir)
        .and_then(|listed| listed.map(|entry| entry.map(|entry| entry.path())).collect());
    match listed {
        Ok(mut paths) => {
            paths.retain(|path| path.extension().is_some_and(|e| e == "csv"));
            paths.sort();
            paths
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            let hint =
                format!("the agent's user must be able to list it: chmod u+rx '{}'", dir.display());
            let what = format!("the folder cannot be read: {error}");
            faults.push(super::whole(dir, what, Some(&hint)));
            Vec::new()
        }
    }
}
