//! Forms on paper and in files: what an official prints, files and opens in an office program.
//!
//! A [`Form`] is what stands on a form, in words and in order; the writers beside it ([`csv`], [`html`], [`ods`],
//! [`pdf`]) only lay it out. A form is in Chinese whoever prints it: the regulations name its columns. Writers are pure:
//! the same form and fonts give the same bytes.

pub mod assessment;
pub mod bundle;
pub mod certificate;
pub mod clauses;
pub mod csv;
pub mod destruction;
pub mod duties;
pub mod form;
pub mod history;
pub mod html;
pub mod letter;
mod odf;
pub mod ods;
pub mod odt;
pub mod owed;
pub mod pdf;
pub mod people;
pub mod reconciliation;
pub mod register;
pub mod rows;
pub mod slip;
pub mod today;
pub mod use_report;
mod words;

pub use form::{Column, Cover, Form, Seat, Table};
