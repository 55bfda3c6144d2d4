//! `pack`: what a provider says of a delivery.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("lock").required(true)))]
pub(in crate::cli) struct PackArgs {
    /// Plain files, or folders of them; each is delivered as NAME.age.
    #[arg(required = true, value_name = "DIR|FILE")]
    pub(in crate::cli) from: Vec<PathBuf>,
    /// Layout of the files; records are counted by it.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) layout: PathBuf,
    /// Link that the delivery goes to, as its receiver calls it.
    #[arg(long)]
    pub(in crate::cli) link: String,
    /// Number of the batch, once per link.
    #[arg(long)]
    pub(in crate::cli) number: String,
    /// Table number that the receiver was approved for.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) table_no: String,
    /// Full file, or changes since the last one.
    #[arg(long, value_enum)]
    pub(in crate::cli) kind: PackKind,
    /// Number of a change file, from 1 without a gap.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(in crate::cli) sequence: u64,
    /// Document that the delivery rests on.
    #[arg(long, value_name = "DOC")]
    pub(in crate::cli) basis: String,
    /// What the data are for.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) purpose: String,
    /// Day or time that the data stand for; now without it.
    #[arg(long, value_name = "DATE|TIME")]
    pub(in crate::cli) as_of: Option<String>,
    /// Batch that this one corrects: it is destroyed once this one is loaded.
    #[arg(long, value_name = "NUMBER")]
    pub(in crate::cli) replaces: Option<String>,
    /// Records that were applied for.
    #[arg(long, value_name = "COUNT")]
    pub(in crate::cli) applied: Option<u64>,
    /// Records that the layout's rules may reject, where the receiver agreed.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub(in crate::cli) max_rejected: u64,
    /// Encrypt to this age recipient; where the receiver agreed to a standing key.
    #[arg(long, value_name = "AGE", group = "lock")]
    pub(in crate::cli) recipient: Option<String>,
    /// Make a key for this batch alone, and write it here: never beside the data.
    #[arg(long, value_name = "FILE", group = "lock")]
    pub(in crate::cli) fresh_key: Option<PathBuf>,
    /// Make a passphrase for this batch alone, and write it here: never beside the data.
    #[arg(long, value_name = "FILE", group = "lock")]
    pub(in crate::cli) passphrase_out: Option<PathBuf>,
    /// Read the passphrase from standard input.
    #[arg(long, group = "lock")]
    pub(in crate::cli) passphrase_stdin: bool,
    /// Folder that the delivery is put into: a drop folder, or a medium.
    #[arg(short = 'o', long = "output", value_name = "DROPDIR")]
    pub(in crate::cli) into: PathBuf,
}

/// Full or delta.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum PackKind {
    /// All records.
    Full,
    /// Changes.
    Delta,
}
