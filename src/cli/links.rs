//! Links on the screen: `link list`, `link show`, and what people do about them.

use super::{
    acts::{act, digest_of},
    args::{Cli, LinkLifeWord, LinkWord, OfficeWord, ReviewWord, Word},
    client::Client,
    expected,
    identity::Identity,
    lists::listing,
    print, reasons, speech,
};
use crate::{
    domain::{
        application::{LinkBound, Office, ReviewResult},
        calendar,
    },
    error::Error,
    service::{
        Command, Query, Result,
        applications::{ApplicationLine, LinkAct, LinkPage},
    },
};

/// Runs one word.
pub(super) fn run(
    cli: &Cli,
    client: &mut Client,
    identity: &Identity,
    word: &LinkWord,
) -> Result<()> {
    match word {
        LinkWord::Expected(asked) => expected::show(client, asked, cli.json),
        LinkWord::Life(LinkLifeWord::List) => list(client, cli.json),
        LinkWord::Life(LinkLifeWord::Show { link }) => show(client, link, cli.json),
        _ => act(cli, client, identity),
    }
}

pub(super) fn command_of(word: &Word) -> Result<Command> {
    let Word::Link(LinkWord::Life(word)) = word else {
        return Err(Error::usage("this word takes no command"));
    };
    let act = match word {
        LinkLifeWord::Apply(asked) => LinkAct::Apply {
            link: asked.link.clone(),
            purpose: asked.purpose.clone(),
            basis: asked.basis.clone(),
            necessity: asked.necessity.clone(),
            external_form: asked.external_form.clone(),
            refers: asked.refers.clone(),
        },
        LinkLifeWord::Countersign { link, office, doc_no } => LinkAct::Countersign {
            link: link.clone(),
            office: office_of(*office),
            doc_no: doc_no.clone(),
        },
        LinkLifeWord::Refuse { link, reason } => {
            LinkAct::Refuse { link: link.clone(), reason: reason.clone() }
        }
        LinkLifeWord::Tested { link, doc_no, evidence } => LinkAct::Tested {
            link: link.clone(),
            doc_no: doc_no.clone(),
            evidence: evidence.iter().map(|file| digest_of(file)).collect::<Result<_>>()?,
        },
        LinkLifeWord::Review { link, result, doc_no } => LinkAct::Review {
            link: link.clone(),
            result: match result {
                ReviewWord::Needed => ReviewResult::Needed,
                ReviewWord::NoNeed => ReviewResult::NoNeed,
            },
            doc_no: doc_no.clone(),
        },
        LinkLifeWord::Suspend { link, reason } => {
            LinkAct::Suspend { link: link.clone(), reason: reason.clone() }
        }
        LinkLifeWord::Terminate { link, reason, doc_no } => LinkAct::Terminate {
            link: link.clone(),
            reason: reason.clone(),
            doc_no: doc_no.clone(),
        },
        LinkLifeWord::Resume { link, reason: Some(reason), .. } => {
            LinkAct::Resume { link: link.clone(), reason: reason.clone() }
        }
        LinkLifeWord::Resume { link, .. } => LinkAct::ResumeConfirm { link: link.clone() },
        LinkLifeWord::List | LinkLifeWord::Show { .. } => {
            return Err(Error::usage("this word takes no command"));
        }
    };
    Ok(Command::Link { act: Box::new(act) })
}

const fn office_of(word: OfficeWord) -> Office {
    match word {
        OfficeWord::ItOffice => Office::ItOffice,
        OfficeWord::EthicsOffice => Office::EthicsOffice,
        OfficeWord::Owner => Office::Owner,
        OfficeWord::Manager => Office::Manager,
        OfficeWord::Supervisor => Office::Supervisor,
        OfficeWord::Head => Office::Head,
    }
}

fn list(client: &mut Client, json: bool) -> Result<()> {
    let zone = client.zone()?;
    let pages: Vec<LinkPage> = client.ask(Query::Links { link: None })?;
    let head = ["link", "state", "policy", "approved until", "application", "remarks"];
    listing(json, &pages, &head, |page| {
        vec![
            page.link.clone(),
            page.status.clone(),
            page.policy.clone(),
            calendar::end(page.approved_until, zone),
            page.application.map(|id| id.to_string()).unwrap_or_default(),
            remarks(page),
        ]
    })
}

/// What stands beside a link: a sentence for each thing that bounds it, and what waits.
fn remarks(page: &LinkPage) -> String {
    let mut remarks: Vec<&str> = page.bounds.iter().map(|bound| bound_text(*bound)).collect();
    if !page.in_force {
        remarks.push("its file waits for a second person");
    }
    if page.application.is_none() && page.as_found.is_some() {
        remarks.push("in force since before applications");
    }
    if page.applications.iter().any(|row| !row.missing.is_empty() && row.decided.is_none()) {
        remarks.push("an application waits");
    }
    let remarks: Vec<String> =
        remarks.into_iter().map(|text| speech::say(text).into_owned()).collect();
    remarks.join("; ")
}

const fn bound_text(bound: LinkBound) -> &'static str {
    match bound {
        LinkBound::NotApplied => "no application is complete",
        LinkBound::OtherPolicy => "applied for under another policy",
        LinkBound::NotTested => "not tested yet",
        LinkBound::Suspended => "a person suspended it",
        LinkBound::Terminated => "a person terminated it",
        LinkBound::ScopeBeyond => "its file has more than was applied for",
        LinkBound::EndsSooner => "its approval ends sooner than its file says",
    }
}

fn show(client: &mut Client, link: &str, json: bool) -> Result<()> {
    let pages: Vec<LinkPage> = client.ask(Query::Links { link: Some(link.to_owned()) })?;
    let Some(page) = pages.first() else { return Ok(()) };
    if json {
        return print::json(page);
    }
    let zone = client.zone()?;
    let at = |at| calendar::time(at, zone);
    let mut cells = vec![
        ("title", page.title.clone()),
        ("provider", page.provider.clone()),
        ("state", speech::word(&page.status).into_owned()),
        ("policy", page.policy.clone()),
        ("fields", page.items.join(", ")),
        ("units", page.units.join(", ")),
        ("purpose", page.purpose.clone()),
        ("approved until", calendar::end(page.approved_until, zone)),
    ];
    let mut more = |what, text: Option<String>| cells.extend(text.map(|text| (what, text)));
    more("not applied for", Some(page.beyond.join(", ")).filter(|text| !text.is_empty()));
    more("remarks", Some(remarks(page)).filter(|text| !text.is_empty()));
    more("application", page.application.map(|id| id.to_string()));
    more("tested", page.tested.map(at));
    if let Some(stop) = &page.stopped {
        let doc_no = stop.doc_no.as_deref().unwrap_or_default();
        more(
            "stopped",
            Some(format!("{} {} {} {doc_no}", at(stop.at), stop.by, reasons::shown(&stop.reason))),
        );
    }
    for review in &page.reviews {
        let result = speech::word(review.result.word());
        more("review", Some(format!("{} {result} {}", at(review.at), review.doc_no)));
    }
    for line in &page.staff {
        let until = line.until.map(|until| format!(" - {}", calendar::end(until, zone)));
        let term = format!("{}{}", at(line.from), until.unwrap_or_default());
        cells.push((line.post.word(), format!("{}, {term}, {}", line.person, line.doc_no)));
    }
    let rows: Vec<Vec<String>> =
        cells.into_iter().map(|(what, text)| vec![what.to_owned(), text]).collect();
    print::raw(&page.link)?;
    print::whole_table(&["what", "how"], &rows)?;
    if page.applications.is_empty() {
        return Ok(());
    }
    print::line("\nAPPLICATIONS")?;
    let head = ["id", "state", "asked", "by", "signatures", "missing"];
    let rows: Vec<Vec<String>> = page
        .applications
        .iter()
        .map(|row| {
            let state = speech::word(row.state.word()).into_owned();
            vec![row.id.to_string(), state, at(row.at), row.by.clone(), signed(row), missing(row)]
        })
        .collect();
    print::table(&head, &rows)
}

fn signed(row: &ApplicationLine) -> String {
    let one = |line: &crate::service::applications::SignatureLine| {
        format!("{} {}", speech::word(line.office.word()), line.by)
    };
    row.signatures.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn missing(row: &ApplicationLine) -> String {
    if row.decided.is_some() {
        return row
            .reason
            .as_deref()
            .map(|why| reasons::shown(why).into_owned())
            .unwrap_or_default();
    }
    let words = row.missing.iter().map(|office| speech::word(office.word()).into_owned());
    words.collect::<Vec<_>>().join(", ")
}
