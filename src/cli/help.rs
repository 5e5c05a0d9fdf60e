//! The text of `--help`: paragraphs as wide as the terminal, and where to look after a mistake.

use std::ffi::OsString;

use clap::{Command, CommandFactory};

use super::Arguments;

/// The command line with its help, all of it: when one command is parsed, the others are not made.
pub(super) fn program() -> Command {
    whole(Arguments::command())
}

/// The same as the manual has it.
pub(super) fn manual() -> Command {
    whole(Arguments::command().disable_help_subcommand(true))
}

fn whole(mut program: Command) -> Command {
    program.build();
    flow(program)
}

/// The command that these arguments call, for `certkit ca issue --help`: as far as they can be told.
pub(super) fn called(arguments: &[OsString]) -> String {
    let mut program = Arguments::command();
    program.build();
    let (mut command, mut words) = (&program, vec!["certkit"]);
    let given = arguments.iter().skip(1).take_while(|argument| *argument != "--");
    for word in given.filter_map(|argument| argument.to_str()) {
        if let Some(below) = command.find_subcommand(word) {
            command = below;
            words.push(below.get_name());
        }
    }
    words.join(" ")
}

fn flow(mut command: Command) -> Command {
    let flowed = |text: &clap::builder::StyledStr| paragraphs(&text.ansi().to_string());
    if let Some(text) = command.get_after_help().map(flowed) {
        command = command.after_help(text);
    }
    if let Some(text) = command.get_after_long_help().map(flowed) {
        command = command.after_long_help(text);
    }
    command.mut_subcommands(flow)
}

/// Makes one line of each paragraph, which clap then wraps. Lines that are indented, examples, stay as they are.
fn paragraphs(text: &str) -> String {
    let mut flowed = String::with_capacity(text.len());
    let mut may_go_on = false;
    for line in text.lines() {
        let is_prose = !line.is_empty() && !line.starts_with(' ');
        match (flowed.is_empty(), is_prose && may_go_on) {
            (true, _) => {}
            (false, true) => flowed.push(' '),
            (false, false) => flowed.push('\n'),
        }
        flowed.push_str(line);
        may_go_on = is_prose;
    }
    flowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_a_line_and_an_example_stays() {
        assert_eq!(paragraphs("a\nb\n\nFor example:\n  c\n  d\n\ne\nf"), "a b\n\nFor example:\n  c\n  d\n\ne f");
    }

    #[test]
    fn the_command_called_is_found_among_flags() {
        let line = |words: &str| called(&words.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(line("certkit ca --ca x issue --nonsense"), "certkit ca issue");
        assert_eq!(line("certkit --json verify cert.pem new"), "certkit verify");
        assert_eq!(line("certkit nonsense"), "certkit");
    }

    /// A line of an example is never broken, so it has to fit.
    #[test]
    fn examples_fit_the_widest_help() {
        fn check(command: &Command) {
            let texts = [command.get_after_help(), command.get_after_long_help()];
            for text in texts.into_iter().flatten().map(ToString::to_string) {
                for line in text.lines().filter(|line| line.starts_with("  ")) {
                    assert!(line.chars().count() <= 100, "{}: {line}", command.get_name());
                }
            }
            command.get_subcommands().for_each(check);
        }
        check(&manual());
    }

    #[test]
    fn every_command_has_an_example() {
        fn check(command: &Command) {
            let texts = [command.get_after_help(), command.get_after_long_help()];
            let has_one = texts.into_iter().flatten().any(|text| text.to_string().contains("For example:"));
            assert!(has_one, "{} has none", command.get_name());
            command.get_subcommands().for_each(check);
        }
        check(&manual());
    }
}
