//! What is to be done today as a form (今日待辦).

use super::{
    form::{Column, Form, Table},
    owed, words,
};
use crate::{
    domain::{accounts::Role, calendar, duty::DutyState, expected::slots::SlotState},
    service::forms::{Level, TodayPage},
};

const ALARMS: [Column; 3] =
    [Column::short("程度", 8), Column::text("情形", 46), Column::text("處理方式", 46)];

const TASKS: [Column; 6] = [
    Column::short("完成", 5),
    Column::text("待辦事項", 20),
    Column::text("對象", 16),
    Column::text("辦理人員", 14),
    Column::short("等候自", 11),
    Column::text("指令", 34),
];

const DUTIES: [Column; 6] = [
    Column::short("完成", 5),
    Column::text("應辦事項", 24),
    Column::text("標的", 22),
    Column::text("依據", 13),
    Column::text("應辦人員", 16),
    Column::short("期限", 20),
];

const EXPECTED: [Column; 3] =
    [Column::text("連結作業", 34), Column::short("應到時間", 33), Column::short("情形", 33)];

/// To be ticked off in ink.
const BOX: &str = "□";

/// The form. Texts of alarms stand in it as they were handed over: in Chinese, on paper.
#[must_use]
pub fn form(page: &TodayPage) -> Form {
    let zone = words::zone(&page.source);
    let count = |n: usize| words::number(n as u64);
    let whose = match (&page.account, &page.person) {
        (Some(account), Some(seal)) if seal.display.is_some() => {
            format!("{}（{account}）", words::person_in_line(seal))
        }
        (Some(account), _) => account.clone(),
        (None, _) => "全體".to_owned(),
    };
    Form {
        agency: page.source.agency.clone(),
        title: "今日待辦事項".to_owned(),
        heads: vec![
            ("日期".to_owned(), calendar::roc_full(page.at, zone)),
            ("帳號".to_owned(), whose),
            ("待辦".to_owned(), count(page.tasks.len())),
            ("七日內屆期及逾期".to_owned(), count(page.duties.len())),
            ("其中逾期".to_owned(), words::number(page.overdue)),
            ("警示".to_owned(), count(page.alarms.len())),
        ],
        cover: None,
        tables: vec![alarms(page), tasks(page), duties(page), expected(page)],
        seats: Vec::new(),
        notes: Vec::new(),
        proof: Vec::new(),
        foot: words::foot(&page.source),
        made_at: page.source.made_at.to_string(),
        one_page: true,
    }
}

fn roles(roles: &[Role]) -> String {
    roles.iter().map(|role| words::role(*role)).collect::<Vec<_>>().join("、")
}

fn alarms(page: &TodayPage) -> Table {
    let rows = page.alarms.iter().map(|alarm| {
        let level = if alarm.level == Level::Alarm { "警報" } else { "警告" };
        let about = alarm.about.iter().chain(&alarm.first).cloned().collect::<Vec<_>>().join("、");
        let about = if about.is_empty() { about } else { format!("（{about}）") };
        vec![level.to_owned(), format!("{}{about}", alarm.what), alarm.remedy.clone()]
    });
    Table::listed("一、警示", &ALARMS, rows.collect())
}

fn tasks(page: &TodayPage) -> Table {
    let zone = words::zone(&page.source);
    let rows = page.tasks.iter().map(|task| {
        let number = task.number.as_deref().map(|n| format!("\n{n}")).unwrap_or_default();
        vec![
            BOX.to_owned(),
            words::duty(task.code).to_owned(),
            format!("{}{number}", task.object),
            owed::people(&task.people)
                .unwrap_or_else(|| task.account.clone().unwrap_or_else(|| roles(&task.roles))),
            words::time(task.since, zone),
            task.commands.join("\n"),
        ]
    });
    Table::listed("二、待辦理", &TASKS, rows.collect())
}

fn duties(page: &TodayPage) -> Table {
    let zone = words::zone(&page.source);
    let rows = page.duties.iter().map(|line| {
        let duty = &line.duty;
        let clause = if duty.clause == "own" { "本系統規則" } else { &duty.clause };
        let stands = match line.state {
            DutyState::Overdue => format!("（逾期 {} 日）", -line.days),
            _ => format!("（尚餘 {} 日）", line.days),
        };
        vec![
            BOX.to_owned(),
            owed::what(duty.code).to_owned(),
            owed::about(duty),
            clause.to_owned(),
            owed::people(&line.people)
                .unwrap_or_else(|| duty.account.clone().unwrap_or_else(|| roles(&duty.roles))),
            format!("{}{stands}", words::day(Some(duty.due), zone)),
        ]
    });
    Table::listed("三、屆期及逾期事項", &DUTIES, rows.collect())
}

fn expected(page: &TodayPage) -> Table {
    let zone = words::zone(&page.source);
    let rows = page.expected.iter().map(|line| {
        let state = match line.state {
            SlotState::Upcoming => "未屆",
            SlotState::Due => "應到",
            SlotState::Late => "遲延",
            SlotState::Missing => "未到",
            SlotState::Early | SlotState::OnTime | SlotState::CameLate => "已到",
        };
        vec![line.link.clone(), words::time(Some(line.due), zone), state.to_owned()]
    });
    Table::listed("四、應到資料", &EXPECTED, rows.collect())
}
