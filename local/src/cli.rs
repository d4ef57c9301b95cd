//! The command line.

use crate::replay::Kind;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// A loyalty engine on one machine: the API and its table
#[derive(Debug, Parser)]
#[command(name = "loyalty", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; to serve, if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub serve: Serve,
}

/// What the command can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API on this machine (the default)
    Serve(Serve),
    /// Send a real shop's purchases through the HTTP API and tell what came of them
    Replay(Replay),
    /// Walk the whole table and prove every account from its entries; exit code 1 if anything is wrong
    Check(Check),
    /// Tell everything that is wrong with a program document; exit code 1 if anything is
    Validate(Validate),
    /// Print the JSON Schema of program documents, by which editors complete them
    Schema,
    /// Print a token for the stack that works on a data folder
    Token(Token),
}

/// `loyalty serve`
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    pub port: u16,
    /// Where data and keys are kept.
    #[command(flatten)]
    pub place: Place,
    /// A DynamoDB to use instead of the embedded one, such as DynamoDB Local
    #[arg(long, value_name = "URL")]
    pub dynamodb_endpoint: Option<String>,
    /// The program document to publish
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
    /// What to log to stderr: error, warn, info, debug, trace, or a filter like "warn,loyalty_local=debug"
    #[arg(long, value_name = "LEVEL")]
    pub log: Option<String>,
}

/// Where a stack keeps its data.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Folder for data and keys
    #[arg(long, default_value = ".loyalty", value_name = "DIR")]
    pub data: PathBuf,
    /// Keep everything in memory; it is gone at the end
    #[arg(long, conflicts_with = "data")]
    pub memory: bool,
}

impl Place {
    /// The folder, unless everything is to stay in memory.
    #[must_use]
    pub fn folder(&self) -> Option<&std::path::Path> {
        if self.memory { None } else { Some(&self.data) }
    }
}

/// `loyalty replay`
#[derive(Debug, Args)]
pub struct Replay {
    /// Which data set the file is
    #[arg(value_name = "online-retail|cdnow")]
    pub kind: Kind,
    /// The file, plain or .gz
    pub file: PathBuf,
    /// A running stack to send to; without it, one is started for the replay
    #[arg(long, conflicts_with_all = ["data", "memory"])]
    pub url: Option<String>,
    /// Where the stack that is started keeps its data.
    #[command(flatten)]
    pub place: Place,
    /// What to log to stderr
    #[arg(long, value_name = "LEVEL")]
    pub log: Option<String>,
}

/// `loyalty check`
#[derive(Debug, Args)]
pub struct Check {
    /// The data folder, of a stack that is not running
    #[arg(long, default_value = ".loyalty", value_name = "DIR")]
    pub data: PathBuf,
    /// A DynamoDB to check instead of the embedded one
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    pub dynamodb_endpoint: Option<String>,
}

/// `loyalty validate`
#[derive(Debug, Args)]
pub struct Validate {
    /// The program document
    pub file: PathBuf,
}

/// `loyalty token`
#[derive(Debug, Args)]
pub struct Token {
    /// Scopes, separated by spaces
    #[arg(long)]
    pub scope: String,
    /// The loyalty program
    #[arg(long, default_value = "main")]
    pub program: String,
    /// The member whose own token it is to be (scope self)
    #[arg(long)]
    pub member_id: Option<String>,
    /// The actor; with scope self and no --member-id, the external id of the member
    #[arg(long)]
    pub sub: Option<String>,
    /// The data folder of the stack
    #[arg(long, default_value = ".loyalty", value_name = "DIR")]
    pub data: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn serve(words: &[&str]) -> Serve {
        let cli = Cli::try_parse_from([&["loyalty"], words].concat()).unwrap();
        match cli.command {
            None => cli.serve,
            Some(Command::Serve(serve)) => serve,
            Some(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serving_is_what_happens_when_nothing_is_said() {
        assert_eq!((serve(&[]).port, serve(&[]).place.data), (3000, PathBuf::from(".loyalty")));
        assert_eq!(serve(&["--port", "4000"]).port, 4000);
        assert_eq!(serve(&["serve", "--port", "4000"]).port, 4000);
        assert_eq!(serve(&["serve", "--memory"]).place.folder(), None);
        assert!(Cli::try_parse_from(["loyalty", "serve", "--memory", "--data", "x"]).is_err());
    }

    #[test]
    fn a_replay_goes_to_a_running_stack_or_to_one_of_its_own() {
        let parse = |words: &[&str]| Cli::try_parse_from([&["loyalty", "replay"], words].concat());
        for good in [&["cdnow", "f"][..], &["online-retail", "f.gz", "--memory"], &["cdnow", "f", "--url", "http://x"]]
        {
            assert!(parse(good).is_ok(), "{good:?}");
        }
        for bad in [&["other", "f"][..], &["cdnow"], &["cdnow", "f", "--url", "http://x", "--memory"]] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
