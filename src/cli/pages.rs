//! What is made of the command line's definition beside its parser: completions and man pages.

use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::shells;
use clap_mangen::Man;

use super::{
    args::{Cli, Shell},
    print, speech,
};
use crate::{
    demo,
    error::{Error, Exit},
    service::Result,
};

/// Prints the completions of a shell.
pub(super) fn completions(shell: Shell) -> Result<()> {
    let mut command = speech::spoken(Cli::command());
    let mut text = Vec::new();
    let name = "batchward";
    match shell {
        Shell::Bash => clap_complete::generate(shells::Bash, &mut command, name, &mut text),
        Shell::Zsh => clap_complete::generate(shells::Zsh, &mut command, name, &mut text),
        Shell::Fish => clap_complete::generate(shells::Fish, &mut command, name, &mut text),
    }
    print::bytes(&text)
}

/// Writes a man page for the program and for each of its words.
pub(super) fn man(dir: &Path) -> Result<()> {
    let mut command = speech::spoken(Cli::command());
    command.build();
    std::fs::create_dir_all(dir)
        .map_err(|error| Error::new(Exit::Unavailable, format!("'{}': {error}", dir.display())))?;
    page(command, dir)
}

fn page(command: Command, dir: &Path) -> Result<()> {
    for word in command.get_subcommands().filter(|word| !word.is_hide_set()) {
        page(word.clone(), dir)?;
    }
    let page = Man::new(command).source(concat!("batchward ", env!("CARGO_PKG_VERSION")));
    let page = page.manual("Batchward");
    let mut roff = Vec::new();
    page.render(&mut roff).map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
    let text = String::from_utf8_lossy(&roff);
    // The headings are the generator's own.
    let said = |line: &str| match line.strip_prefix(".SH ") {
        Some(heading) => format!(".SH {}\n", speech::word(heading)),
        None => format!("{line}\n"),
    };
    let text: String = text.lines().map(said).collect();
    demo::put(&dir.join(page.get_filename()), text.as_bytes(), 0o644)
}
