//! The table clause × what is done × test, as a form and as Markdown (`docs/clauses.md`).
//!
//! Both are made of the two tables that the program has within it: what is not in them is not said.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::form::{Column, Form, Table};
use crate::domain::policy::{
    clauses::{self, Clause, Does, Done},
    parameters::PARAMETERS,
};

/// Parameters of policies by the clause that they rest on.
pub type Resting = BTreeMap<&'static str, BTreeSet<&'static str>>;

const CLAUSES: [Column; 7] = [
    Column::short("條文", 8),
    Column::short("類別", 4),
    Column::text("內容", 26),
    Column::text("參數", 14),
    Column::short("狀態", 8),
    Column::text("系統作為", 26),
    Column::text("測試", 14),
];

const PARAMETER_COLUMNS: [Column; 4] = [
    Column::text("參數", 18),
    Column::short("狀態", 10),
    Column::text("系統作為", 42),
    Column::text("測試", 30),
];

/// The rows that have no test.
#[must_use]
pub fn untested() -> Vec<&'static Done> {
    let bare =
        |done: &&Done| done.tests.is_empty() && clauses::all().iter().any(|c| c.id == done.subject);
    clauses::done().iter().filter(bare).collect()
}

/// The table as a form.
#[must_use]
pub fn form(resting: &Resting) -> Form {
    let row = |clause: &Clause, done: &Done| {
        let rules = rules(resting, clause, "");
        [clause.id, clause.kind, clause.quote, &rules, state(done), done.chinese]
            .map(str::to_owned)
            .to_vec()
    };
    let mut tables: Vec<Table> = Vec::new();
    for (letters, law) in clauses::LAWS {
        let rows = of_law(letters).map(|(clause, done)| {
            let mut row = row(clause, done);
            row.push(done.tests.join(" "));
            row
        });
        tables.push(Table {
            name: format!("{letters} {law}"),
            columns: CLAUSES.to_vec(),
            rows: rows.collect(),
        });
    }
    let parameters = PARAMETERS.iter().filter_map(|one| clauses::done_for(one.key));
    tables.push(Table {
        name: "參數".to_owned(),
        columns: PARAMETER_COLUMNS.to_vec(),
        rows: parameters
            .map(|done| {
                let tests = done.tests.join(" ");
                vec![
                    done.subject.to_owned(),
                    state(done).to_owned(),
                    done.chinese.to_owned(),
                    tests,
                ]
            })
            .collect(),
    });
    Form {
        cover: None,
        agency: "Batchward".to_owned(),
        title: "條文、系統作為及測試對照表".to_owned(),
        heads: Vec::new(),
        tables,
        seats: Vec::new(),
        notes: vec![
            "類別：E 由系統執行、V 由系統留存證據、R 由系統提醒、N 非軟體事項。".to_owned(),
            format!("無測試之條文共 {} 則，各於其列載明理由。", untested().len()),
        ],
        proof: Vec::new(),
        foot: String::new(),
        made_at: "1970-01-01T00:00:00Z".to_owned(),
        one_page: false,
    }
}

const fn state(done: &Done) -> &'static str {
    match done.does {
        Does::Enforces => "執行",
        Does::Evidences => "留證",
        Does::Reminds => "提醒",
        Does::NotYet => "尚未",
        Does::NotSoftware => "非軟體事項",
    }
}

fn of_law(letters: &str) -> impl Iterator<Item = (&'static Clause, &'static Done)> {
    let law = format!("{letters}-");
    let of_law = clauses::all().iter().filter(move |clause| clause.id.starts_with(&law));
    of_law.filter_map(|clause| Some((clause, clauses::done_for(clause.id)?)))
}

/// The table as Markdown.
#[must_use]
pub fn markdown(resting: &Resting) -> String {
    let mut text = String::from(
        "# Clauses, what Batchward does for them, and the tests\n\n\
         Made by `batchward policy matrix`; a test holds this page to the program. Kinds: E enforce, V evidence, R remind, N\n\
         not for software. `not-yet` names what it waits for: nothing here is claimed that is not done. How to read, write and\n\
         override policies: [policies.md](policies.md).\n",
    );
    for (letters, law) in clauses::LAWS {
        let _ = write!(
            text,
            "\n## {letters}: {law}\n\n| clause | kind | text | rules | does | what | tests |\n|---|---|---|---|---|---|---|\n"
        );
        for (clause, done) in of_law(letters) {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} |",
                clause.id,
                clause.kind,
                clause.quote,
                rules(resting, clause, "`"),
                does(done),
                done.english,
                tests(done)
            );
        }
    }
    text.push_str("\n## Parameters\n\n| parameter | stricter | does | what | tests |\n|---|---|---|---|---|\n");
    for parameter in PARAMETERS {
        let Some(done) = clauses::done_for(parameter.key) else { continue };
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            parameter.key,
            parameter.stricter.word(),
            does(done),
            done.english,
            tests(done)
        );
    }
    let apart = clauses::all().iter().filter(|one| !resting.contains_key(one.id)).count();
    let _ = write!(
        text,
        "\nOf {} clauses {apart} are no rule of a policy: what they ask is the same for all, or waits, as their row says.\n",
        clauses::all().len()
    );
    let untested = untested();
    let _ = write!(text, "\n## Clauses without a test: {}\n\n", untested.len());
    for done in untested {
        let _ = writeln!(text, "- {}: {}; {}", done.subject, does(done), done.english);
    }
    text
}

/// The rules of policies that rest on a clause.
fn rules(resting: &Resting, clause: &Clause, mark: &str) -> String {
    let keys = resting.get(clause.id).into_iter().flatten();
    keys.map(|key| format!("{mark}{key}{mark}")).collect::<Vec<_>>().join(" ")
}

fn does(done: &Done) -> String {
    done.waits.map_or_else(
        || done.does.word().to_owned(),
        |waits| format!("{} ({})", done.does, waits.word()),
    )
}

fn tests(done: &Done) -> String {
    done.tests.iter().map(|test| format!("`{test}`")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_clause_and_its_columns() {
        let form = form(&Resting::new());
        let rows: usize = form.tables.iter().map(|table| table.rows.len()).sum();
        assert_eq!(rows, clauses::all().len() + PARAMETERS.len());
        for table in &form.tables {
            assert!(table.rows.iter().all(|row| row.len() == table.columns.len()));
        }
        assert!(super::super::ods::write(&form).is_ok_and(|bytes| bytes.len() > 1000));
        let text = markdown(&Resting::new());
        for clause in clauses::all() {
            assert!(text.contains(&format!("\n| {} |", clause.id)), "{}", clause.id);
        }
    }
}
