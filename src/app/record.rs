//! A camera recorded to disk: where to, how it gets on, and the tracks that go with the
//! video.

use std::path::PathBuf;

use super::camera_side::RecordingNews;
use super::command::{Command, Effect};
use super::review::Review;
use super::state::AppState;
use crate::base::{Notice, Timestamp};
use crate::media::SourceInfo;
use crate::project::{Batch, results};
use crate::session::Params;
use crate::session::facts::AnalysisFacts;
use crate::timeline::Recording;

/// A new file in the person's videos, else documents, else home, named by the local time;
/// `None` where this account has none of them.
#[must_use]
pub fn place() -> Option<PathBuf> {
    let user = directories::UserDirs::new()?;
    let folder = user.video_dir().or(user.document_dir());
    let folder = folder.unwrap_or(user.home_dir()).join("Onset");
    let name = format!("camera {}", now());
    let free = (1..).map(|n| match n {
        1 => folder.join(format!("{name}.mkv")),
        n => folder.join(format!("{name} {n}.mkv")),
    });
    free.into_iter().find(|path| !path.exists())
}

/// "2026-11-27 14.03.22", as a file may be named everywhere.
fn now() -> String {
    let now = chrono::Local::now();
    now.format("%Y-%m-%d %H.%M.%S").to_string()
}

/// What the analysis said of a camera while it was recorded, to be written beside the video
/// as the headless analysis writes it.
#[derive(Debug, Clone)]
pub struct RecordedTracks {
    video: PathBuf,
    info: SourceInfo,
    params: Params,
    analysed: AnalysisFacts,
    recording: Recording,
}

impl RecordedTracks {
    /// `None` where nothing was recorded.
    fn of(review: &Review, news: &RecordingNews) -> Option<Self> {
        let (start, end) = (news.state.first?.1, news.state.last?.1);
        // The analysis counts the frames that it had time for.
        let frames = &review.recording.frames;
        let first = frames.get(frames.partition_point(|f| f.timestamp < start));
        let after = frames.partition_point(|f| f.timestamp <= end);
        let last = frames.get(after.checked_sub(1)?);
        let recording = (review.recording).between((first?.frame, start), last?.frame);
        Some(Self {
            video: news.state.path.clone(),
            info: SourceInfo {
                path: Some(news.state.path.clone()),
                frame_count: Some(news.state.frames),
                duration: Some(Timestamp::from_secs(end.secs_since(start))),
                ..review.session.info.clone()
            },
            params: review.session.params.clone(),
            analysed: review.facts(),
            recording,
        })
    }

    /// `frames.csv`, `intervals.csv` and `recording.json` in a folder of the video's name.
    #[must_use]
    pub fn write(&self) -> Notice {
        let folder = self.video.with_extension("");
        let stem = folder.file_name().unwrap_or_default().to_string_lossy();
        let summary = results::Summary::of(
            &self.info,
            (0, ""),
            &self.params,
            &self.analysed,
            &self.recording,
        );
        let readings = results::Readings::of(summary.recognition.as_ref());
        let mut batch = Batch::default();
        let to = &mut batch;
        let written =
            results::write_frames(&folder.join("frames.csv"), &self.recording, &readings, to)
                .and_then(|()| {
                    let path = folder.join("intervals.csv");
                    results::write_intervals(&path, &stem, &self.recording, &readings, to)
                })
                .and_then(|()| results::write_summary(&folder.join("recording.json"), &summary, to))
                .and_then(|()| batch.commit());
        match written {
            Ok(()) => Notice::info(format!(
                "What was read of it live lies beside it, with the video's times; frames count \
                 those that were analysed: {}",
                folder.display()
            )),
            Err(e) => Notice::error(e.to_string()),
        }
    }
}

impl AppState {
    pub(super) fn record(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::ToggleRecord => {
                let runs = |r: &&Review| r.session.info.live && !r.status.finished;
                let Some(review) = self.review.as_ref().filter(runs) else {
                    self.say(Notice::info(
                        "Start a camera first: only a camera that runs is recorded.",
                    ));
                    return vec![Effect::WakeAfter(8.1)];
                };
                vec![Effect::Record(
                    review.recorded.as_ref().is_none_or(|r| r.ended),
                )]
            }
            Command::Recording { generation, news } => {
                let Some(review) = self.of(generation) else {
                    return vec![];
                };
                let tracks = news
                    .ended
                    .then(|| RecordedTracks::of(review, &news))
                    .flatten();
                review.recorded = Some((*news).clone());
                if !news.ended {
                    return vec![];
                }
                let said = ended(&news);
                if news.state.frames > 0 {
                    self.entrance.path = news.state.path.display().to_string();
                }
                self.say(said);
                let tracks = tracks.map(|t| Effect::RecordedTracks(Box::new(t)));
                tracks.into_iter().chain([Effect::WakeAfter(8.1)]).collect()
            }
            _ => vec![],
        }
    }
}

/// What became of it, in a sentence or two.
fn ended(news: &RecordingNews) -> Notice {
    let state = &news.state;
    let path = state.path.display();
    let length = Timestamp::from_secs(state.secs).clock();
    match &state.failed {
        Some(why) if state.frames == 0 => Notice::error(format!("Nothing was recorded. {why}")),
        Some(why) => Notice::error(format!(
            "The recording broke off after {length}; what is there can be opened. {why}"
        )),
        None if state.frames == 0 => {
            Notice::info("Nothing was recorded: it was stopped before the first picture.")
        }
        None => {
            let lost = match state.lost {
                0 => String::new(),
                1 => " One picture is missing, for which encoder or disk had no time.".into(),
                n => format!(
                    " {n} pictures are missing, for which encoder or disk had no time; the times \
                     are right, frame numbers count what is there."
                ),
            };
            Notice::info(format!(
                "Recorded {length}, {} frames, {}.{lost} Open goes through it: {path}",
                state.frames,
                bytes(state.bytes as f64)
            ))
        }
    }
}

/// "23 MB", "1.4 GB".
#[must_use]
pub fn bytes(bytes: f64) -> String {
    match bytes {
        b if b < 1e6 => format!("{:.0} kB", b / 1e3),
        b if b < 1e7 => format!("{:.1} MB", b / 1e6),
        b if b < 1e9 => format!("{:.0} MB", b / 1e6),
        b => format!("{:.1} GB", b / 1e9),
    }
}

/// "0:12 · 14 MB · 4.1 GB an hour · room for 8 h", as far as it is known.
#[must_use]
pub fn progress(news: &RecordingNews) -> String {
    let state = &news.state;
    let whole = state.secs as u64;
    let mut text = format!(
        "{}:{:02} · {}",
        whole / 60,
        whole % 60,
        bytes(state.bytes as f64)
    );
    if let Some(rate) = state.bytes_an_hour() {
        text += &format!(" · {} an hour", bytes(rate));
    }
    if let Some(left) = state.secs_left() {
        let left = if left >= 2.0 * 3600.0 {
            format!("{:.0} h", left / 3600.0)
        } else {
            format!("{:.0} min", left / 60.0)
        };
        text += &format!(" · room for {left}");
    }
    if state.lost > 0 {
        text += &format!(" · {} lost", state.lost);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::recorder::RecordingState;

    fn news(secs: f64, bytes: u64) -> RecordingNews {
        RecordingNews {
            state: RecordingState {
                path: "/videos/camera.mkv".into(),
                secs,
                frames: 30,
                bytes,
                first: None,
                last: None,
                lost: 0,
                free: Some(36_000_000_000),
                failed: None,
            },
            ended: false,
        }
    }

    #[test]
    fn size_rate_and_room_are_told_once_they_are_known() {
        assert_eq!(progress(&news(1.0, 1_200_000)), "0:01 · 1.2 MB");
        assert_eq!(
            progress(&news(72.0, 72_000_000)),
            "1:12 · 72 MB · 3.6 GB an hour · room for 10 h"
        );
    }

    #[test]
    fn what_broke_off_is_said_to_be_there() {
        let mut broken = news(4.0, 9_000_000);
        broken.state.failed = Some("Cannot write the video: the disk is full.".into());
        let said = ended(&broken).text;
        assert!(said.starts_with("The recording broke off after"), "{said}");
        assert!(said.contains("can be opened"), "{said}");
    }
}
