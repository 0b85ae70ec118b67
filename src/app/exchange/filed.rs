//! Tables among the results of an analysis.

use std::path::Path;

/// How a table that lies among the results of the recording `media` names it: after their
/// folder. With several recordings that are called alike that is another name, `clip_2`.
pub(super) fn filed_as(table: &Path, media: &Path) -> Option<String> {
    let folder = table.parent()?;
    let summary = std::fs::read(folder.join("recording.json")).ok()?;
    let summary: serde_json::Value = serde_json::from_slice(&summary).ok()?;
    let name = summary["recording"]["name"].as_str()?;
    let same = media.file_name()?.to_str()? == name;
    let filed = folder.file_name().filter(|_| same)?;
    Some(filed.to_string_lossy().into_owned())
}
