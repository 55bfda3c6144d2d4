//! `policy`: rules, each with its clause, and what is done for it.

use std::path::Path;

use super::{
    args::{
        Cli,
        proofs::{MatrixFormat, PolicyWord},
    },
    forms, lists, print, shapes, speech,
};
use crate::{
    error::{Error, Exit},
    paper,
    service::Result,
    wiring::{self, ClauseLine, RuleLine},
};

pub(super) fn run(cli: &Cli, word: &PolicyWord) -> Result<()> {
    match word {
        PolicyWord::List => {
            let rows = wiring::policies(&cli.config)?;
            lists::listing(cli.json, &rows, &["name", "title"], |p| {
                vec![p.name.clone(), p.title.clone()]
            })
        }
        PolicyWord::Explain { name, about, link } => {
            let asked = wiring::Asked { name, about: about.as_deref(), link: link.as_deref() };
            let page = wiring::explain(&cli.config, &asked)?;
            if cli.json {
                return print::json(&page);
            }
            print::raw(&page.title)?;
            print::line(&format!("layers: {}", page.layers.join(" < ")))?;
            page.clauses.iter().try_for_each(clause)?;
            page.rules.iter().try_for_each(rule)
        }
        PolicyWord::Diff { first, second } => {
            let rows = wiring::diff(&cli.config, first, second)?;
            if !cli.json && rows.is_empty() {
                return print::line("no rule differs");
            }
            lists::listing(cli.json, &rows, &["rule", "first", "second", "stricter"], |row| {
                let side = |side: &Option<wiring::SideLine>| {
                    side.as_ref()
                        .map_or_else(String::new, |s| format!("{} ({})", s.value, s.clause))
                };
                let stricter = row.stricter.as_deref().map_or("", |which| match which {
                    "first" => first.as_str(),
                    _ => second.as_str(),
                });
                let cells = [row.rule.clone(), side(&row.first), side(&row.second)];
                [cells.as_slice(), &[stricter.to_owned()]].concat()
            })
        }
        PolicyWord::Matrix { format, output } => {
            let bytes = match format {
                MatrixFormat::Md => paper::clauses::markdown(&wiring::resting()).into_bytes(),
                MatrixFormat::Ods => paper::ods::write(&paper::clauses::form(&wiring::resting()))
                    .map_err(|error| {
                    Error::new(Exit::Failed, format!("the spreadsheet: {error}"))
                })?,
            };
            forms::put_bytes(output, &bytes)
        }
        PolicyWord::Check { path } => check(path, cli.json),
    }
}

/// A rule: value, clause and layer; what the clause says; what is done with it.
fn rule(rule: &RuleLine) -> Result<()> {
    print::raw("")?;
    print::raw(&format!("{}: {}  ({}, {})", rule.rule, rule.value, rule.clause, rule.layer))?;
    if let Some(quote) = &rule.quote {
        print::raw(&format!("    「{quote}」"))?;
    }
    if let Some(exception) = &rule.exception {
        let said = format!(
            "until {} '{}' by the document '{}' in '{}'",
            exception.until, exception.value, exception.doc_no, exception.layer
        );
        print::raw(&format!("    {}", speech::say(&said)))?;
    }
    done(&rule.does, rule.waits_for.as_deref(), (&rule.what, &rule.what_zh))
}

fn clause(clause: &ClauseLine) -> Result<()> {
    print::raw("")?;
    print::raw(&format!("{}  {}", clause.clause, clause.law))?;
    print::raw(&format!("    「{}」", clause.quote))?;
    done(&clause.does, clause.waits_for.as_deref(), (&clause.what, &clause.what_zh))?;
    if clause.tests.is_empty() {
        return Ok(());
    }
    print::raw(&format!("    {}{}", speech::label("tests"), clause.tests.join(" ")))
}

/// What is done, in the language of this process.
fn done(does: &str, waits: Option<&str>, (english, chinese): (&str, &str)) -> Result<()> {
    let what = if speech::is_chinese() { chinese } else { english };
    let waits = waits.map_or_else(String::new, |waits| format!(" [{}]", speech::word(waits)));
    print::raw(&format!("    {}{what}{waits}", speech::label(does)))
}

fn check(path: &Path, json: bool) -> Result<()> {
    let problems = wiring::check_policy(path)?;
    let count = problems.len();
    if json {
        print::json(&shapes::PolicyChecked { ok: problems.is_empty(), problems })?;
    } else if problems.is_empty() {
        print::line("no problem found")?;
    } else {
        problems.iter().try_for_each(|problem| print::line(problem))?;
    }
    match count {
        0 => Ok(()),
        1 => Err(Error::new(Exit::Config, "a problem was found")),
        _ => Err(Error::new(Exit::Config, format!("{count} problems found"))),
    }
}
