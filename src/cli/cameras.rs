//! `onset cameras`: which cameras there are and what each offers.

use clap::Args;
use serde::Serialize;

use super::print::{say, tell};
use super::{CommandResult, Failure, Outcome};
use crate::media::{FormatWish, list_cameras};

/// List the cameras and the formats Onset can read from each.
#[derive(Debug, Args)]
#[command(after_help = "Example: onset cameras --json")]
pub struct CamerasArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    input: String,
    name: String,
    formats: Vec<String>,
    /// What opens the camera in each of them.
    format_inputs: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

pub(super) fn run(args: &CamerasArgs) -> CommandResult {
    let rows: Vec<Row> = list_cameras()
        .map_err(Failure::other)?
        .into_iter()
        .map(|c| Row {
            input: format!("camera:{}", c.index),
            name: c.name,
            format_inputs: (c.formats.iter())
                .map(|f| format!("camera:{}{}", c.index, FormatWish::from(*f)))
                .collect(),
            formats: c.formats.iter().map(ToString::to_string).collect(),
            trouble: c.trouble,
        })
        .collect();
    if args.json {
        say!(
            "{}",
            serde_json::to_string_pretty(&rows).map_err(Failure::other)?
        );
        return Ok(Outcome::Done);
    }
    if rows.is_empty() {
        tell!("No camera found. Plug one in, or check that this user may read /dev/video*.");
    }
    for row in rows {
        say!("{}  {}", row.input, row.name);
        for (format, input) in row.formats.iter().zip(&row.format_inputs) {
            say!("    {format:<40} {input}");
        }
        if let Some(trouble) = &row.trouble {
            say!("    {trouble}");
        }
    }
    Ok(Outcome::Done)
}
