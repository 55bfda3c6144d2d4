//! Policies, read as people ask about them: listed, explained, compared, checked.

use std::path::Path;

use serde::Serialize;

use super::site::faults;
use crate::{
    config,
    domain::policy::{
        Policy,
        clauses::{self, Done},
        layers::Ruled,
        parameters::{PARAMETERS, Parameter},
    },
    error::{Error, Exit},
    paper::clauses::Resting,
    service::Result,
};

/// `policy list`.
///
/// # Errors
/// The configuration cannot be read.
pub fn policies(path: &Path) -> Result<Vec<PolicyLine>> {
    let config = config::load(path).map_err(|list| faults(&list))?;
    let line = |p: &Policy| PolicyLine { name: p.name.clone(), title: p.title.clone() };
    Ok(config.policies.values().map(line).collect())
}

/// A row of `policy list`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PolicyLine {
    /// Name, which links name it by.
    pub name: String,
    /// Title.
    pub title: String,
}

/// `policy explain`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PolicyPage {
    /// Name, which links name it by.
    pub name: String,
    /// Title.
    pub title: String,
    /// Its layers, the undermost first.
    pub layers: Vec<String>,
    /// Its rules.
    pub rules: Vec<RuleLine>,
    /// The clauses that were asked for.
    pub clauses: Vec<ClauseLine>,
}

/// A rule of a policy.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RuleLine {
    /// The rule.
    pub rule: String,
    /// Its value, when no exception counts.
    pub value: String,
    /// The clause that it rests on, or `own`.
    pub clause: String,
    /// What the clause says, where it is in the list of clauses.
    pub quote: Option<String>,
    /// The layer that it comes from.
    pub layer: String,
    /// What a document allows for a while.
    pub exception: Option<ExceptionLine>,
    /// What Batchward does with it: `enforces`, `evidences`, `reminds`, `not-yet` or `not-software`.
    pub does: String,
    /// What it waits for, where nothing is done yet.
    pub waits_for: Option<String>,
    /// The same in words.
    pub what: String,
    /// The same in Chinese.
    pub what_zh: String,
}

/// An exception from a rule.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExceptionLine {
    /// The value that it allows.
    pub value: String,
    /// Number of the document.
    pub doc_no: String,
    /// The last day on which it counts.
    pub until: String,
    /// The layer that it comes from.
    pub layer: String,
}

/// A clause.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClauseLine {
    /// Id.
    pub clause: String,
    /// The regulation.
    pub law: String,
    /// Letters: E enforce, V evidence, R remind, N not for software.
    pub kind: String,
    /// What it says.
    pub quote: String,
    /// What Batchward does for it.
    pub does: String,
    /// What it waits for, where nothing is done yet.
    pub waits_for: Option<String>,
    /// The same in words.
    pub what: String,
    /// The same in Chinese.
    pub what_zh: String,
    /// Tests that show it.
    pub tests: Vec<String>,
}

/// What `policy explain` is asked about.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The policy.
    pub name: &'a str,
    /// One parameter, group or clause; everything where it is missing.
    pub about: Option<&'a str>,
    /// As this link has it.
    pub link: Option<&'a str>,
}

/// `policy explain`.
///
/// # Errors
/// There is no such policy, link, parameter or clause.
pub fn explain(path: &Path, asked: &Asked<'_>) -> Result<PolicyPage> {
    let config = config::load(path).map_err(|list| faults(&list))?;
    let policy = named(&config, asked.name)?;
    let policy = match asked.link {
        None => policy.clone(),
        Some(name) => {
            let link = config.links.get(name).filter(|link| link.policy == policy.name);
            let link = link.ok_or_else(|| {
                Error::usage(format!("no link '{name}' is under the policy '{}'", policy.name))
            })?;
            policy.over(name, &link.overrides, None)
        }
    };
    let mut rules = rules_of(&policy);
    let mut clauses = Vec::new();
    if let Some(about) = asked.about {
        let known = clauses::of(about);
        let parameter =
            |key: &str| key == about || key.strip_prefix(about).is_some_and(|r| r.starts_with('.'));
        let named = PARAMETERS.iter().any(|one| parameter(one.key));
        let own = rules.iter().any(|rule| rule.clause == about);
        if known.is_empty() && !named && !own {
            return Err(Error::usage(format!("'{about}' is neither a parameter nor a clause"))
                .hint("'batchward policy explain NAME' shows all parameters, 'batchward policy matrix' all clauses"));
        }
        rules.retain(|rule| {
            let within = |clause: &str| known.iter().any(|one| one.id == clause);
            parameter(&rule.rule) || rule.clause == about || within(&rule.clause)
        });
        clauses.extend(known.iter().filter_map(|one| clause_line(one.id)));
    }
    Ok(PolicyPage {
        name: policy.name.clone(),
        title: policy.title.clone(),
        layers: policy.stack.layers.iter().map(|layer| layer.name.clone()).collect(),
        rules,
        clauses,
    })
}

fn named<'a>(config: &'a config::Config, name: &str) -> Result<&'a Policy> {
    config.policies.get(name).ok_or_else(|| {
        Error::usage(format!("there is no policy '{name}'"))
            .hint("'batchward policy list' shows the policies")
    })
}

fn rules_of(policy: &Policy) -> Vec<RuleLine> {
    let held = policy.stack.on(None);
    // On the first of all days every exception counts, also one that has ended: people see that there was one.
    let excepted = policy.stack.on(Some(chrono::NaiveDate::MIN));
    let line = |parameter: &Parameter| {
        let at_first = excepted.get(parameter.key)?;
        let ruled = held.get(parameter.key).unwrap_or(at_first);
        let done = clauses::done_for(parameter.key);
        Some(RuleLine {
            rule: parameter.key.to_owned(),
            value: ruled.value.words(),
            clause: ruled.clause.clone(),
            quote: clauses::quote(&ruled.clause),
            layer: ruled.layer.clone(),
            exception: at_first.exception.as_ref().map(|exception| ExceptionLine {
                value: at_first.value.words(),
                doc_no: exception.doc_no.clone(),
                until: exception.until.to_string(),
                layer: at_first.layer.clone(),
            }),
            does: done.map_or("", |done| done.does.word()).to_owned(),
            waits_for: done.and_then(waits),
            what: done.map_or("", |done| done.english).to_owned(),
            what_zh: done.map_or("", |done| done.chinese).to_owned(),
        })
    };
    PARAMETERS.iter().filter_map(line).collect()
}

fn waits(done: &Done) -> Option<String> {
    done.waits.map(|waits| waits.word().to_owned())
}

fn clause_line(id: &str) -> Option<ClauseLine> {
    let clause = clauses::all().iter().find(|clause| clause.id == id)?;
    let done = clauses::done_for(id)?;
    Some(ClauseLine {
        clause: id.to_owned(),
        law: clauses::law(id).unwrap_or_default().to_owned(),
        kind: clause.kind.to_owned(),
        quote: clause.quote.to_owned(),
        does: done.does.word().to_owned(),
        waits_for: waits(done),
        what: done.english.to_owned(),
        what_zh: done.chinese.to_owned(),
        tests: done.tests.iter().map(|test| (*test).to_owned()).collect(),
    })
}

/// A row of `policy diff`: a parameter on which two policies differ.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiffLine {
    /// The rule.
    pub rule: String,
    /// What the first says, where it says anything.
    pub first: Option<SideLine>,
    /// What the second says, where it says anything.
    pub second: Option<SideLine>,
    /// Which is the stricter one: `first`, `second`, or nothing where neither is.
    pub stricter: Option<String>,
}

/// What one of two policies says.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SideLine {
    /// The value.
    pub value: String,
    /// The clause, or `own`.
    pub clause: String,
}

/// `policy diff`: the rules of which two policies have different values.
///
/// # Errors
/// There is no such policy.
pub fn diff(path: &Path, first: &str, second: &str) -> Result<Vec<DiffLine>> {
    let config = config::load(path).map_err(|list| faults(&list))?;
    let held = |name| named(&config, name).map(|policy| policy.stack.on(None));
    let (one, two) = (held(first)?, held(second)?);
    let side = |ruled: Option<&Ruled>| {
        ruled.map(|ruled| SideLine { value: ruled.value.words(), clause: ruled.clause.clone() })
    };
    let line = |parameter: &Parameter| {
        let (one, two) = (one.get(parameter.key), two.get(parameter.key));
        if one.map(|ruled| &ruled.value) == two.map(|ruled| &ruled.value) {
            return None;
        }
        let stricter = match (one, two) {
            (Some(one), Some(two)) => {
                let holds = |a: &Ruled, b: &Ruled| {
                    a.value.holds(&b.value, parameter.stricter, parameter.kind)
                };
                match (holds(one, two), holds(two, one)) {
                    (true, false) => Some("first"),
                    (false, true) => Some("second"),
                    _ => None,
                }
            }
            (Some(_), None) => Some("first"),
            (None, _) => Some("second"),
        };
        Some(DiffLine {
            rule: parameter.key.to_owned(),
            first: side(one),
            second: side(two),
            stricter: stricter.map(str::to_owned),
        })
    };
    Ok(PARAMETERS.iter().filter_map(line).collect())
}

/// The rules of shipped policies that rest on each clause.
#[must_use]
pub fn resting() -> Resting {
    let mut resting = Resting::new();
    for policy in config::shipped_policies().values() {
        for (key, rule) in policy.stack.layers.iter().flat_map(|layer| &layer.rules) {
            for clause in clauses::of(&rule.clause) {
                resting.entry(clause.id).or_default().insert(key);
            }
        }
    }
    resting
}

/// `policy check`: what is wrong with a file, or with all files of a folder.
///
/// # Errors
/// There is nothing at this path that could be looked at.
pub fn check_policy(path: &Path) -> Result<Vec<String>> {
    let list = config::check_policies(path);
    if list.is_empty() && path.is_dir() && !holds_files(path) {
        let what = format!("'{}' holds no policy", path.display());
        return Err(Error::new(Exit::Config, what).hint("a policy is a file NAME.yaml"));
    }
    Ok(list.iter().map(ToString::to_string).collect())
}

fn holds_files(path: &Path) -> bool {
    let mut files = std::fs::read_dir(path).into_iter().flatten().flatten();
    files.any(|file| file.path().extension().is_some_and(|ending| ending == "yaml"))
}
