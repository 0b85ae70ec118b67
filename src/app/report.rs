//! The report of the open recording: one HTML page beside it, with pictures read from
//! the recording anew.

use std::sync::Arc;
use std::time::SystemTime;

use super::review::Review;
use super::saving::{folders, free_path};
use crate::base::{Notice, Timestamp};
use crate::media::{self, InputSpec, SourceInfo};
use crate::project::Batch;
use crate::project::report::{Pictures, Report, Sources};
use crate::project::results::Summary;
use crate::session::Params;
use crate::session::facts::AnalysisFacts;
use crate::spotting::SpottedInterval;
use crate::timeline::{Annotation, Recording};

/// Reading on is cheaper than a seek over so many frames.
const NEAR: u64 = 48;

/// A copy of what the report is made from; the window goes on with its own.
#[derive(Debug, Clone)]
pub struct ReportDesk {
    info: SourceInfo,
    params: Params,
    analysed: AnalysisFacts,
    recording: Arc<Recording>,
    annotations: Vec<Annotation>,
    candidates: Vec<SpottedInterval>,
    /// Of an analysis that runs: how far it had come.
    so_far: Option<Notice>,
}

impl ReportDesk {
    #[must_use]
    pub fn of(review: &Review) -> Self {
        let session = &review.session;
        Self {
            info: session.info.clone(),
            params: session.params.clone(),
            analysed: review.facts(),
            recording: review.recording.clone(),
            annotations: review.coding.annotations().to_vec(),
            candidates: review.recording.intervals.clone(),
            so_far: so_far(review),
        }
    }

    /// Writes a new file beside the recording, or where that is not allowed in the
    /// person's documents; an older file is never replaced.
    #[must_use]
    pub fn write(&self) -> Notice {
        let (html, without) = self.html();
        let name = self.info.stem();
        let mut failed = None;
        for folder in folders(self.info.path.as_deref()) {
            let path = free_path(&folder, &name, "report.html");
            let mut batch = Batch::default();
            let written = batch
                .add(&path, html.as_bytes())
                .and_then(|()| batch.commit());
            match written {
                Ok(()) => {
                    let place = path.display();
                    return match without {
                        None if self.so_far.is_some() => Notice::info(format!(
                            "The report is written, of what is analysed so far: {place}"
                        )),
                        None => Notice::info(format!("The report is written: {place}")),
                        Some(why) => Notice::warning(format!(
                            "The report is written, but some pictures are missing. {why}: {place}"
                        )),
                    };
                }
                Err(e) => failed = Some(e.to_string()),
            }
        }
        Notice::error(failed.unwrap_or_else(|| {
            "Cannot write the report: this account has no folder of its own.".to_owned()
        }))
    }

    /// The page, and why pictures are missing.
    fn html(&self) -> (String, Option<String>) {
        let size = (self.info.width, self.info.height);
        let (recording, annotations) = (&self.recording, &self.annotations);
        let mut pictures = Pictures::wanted(recording, annotations, &self.candidates, size);
        let without = self.read(&mut pictures).err();
        let (fingerprint, params) = ((0, ""), &self.params);
        let mut summary = Summary::of(&self.info, fingerprint, params, &self.analysed, recording);
        summary.warnings.splice(..0, self.so_far.clone());
        let sources = Sources {
            recording,
            annotations,
            candidates: &self.candidates,
            summary: &summary,
            pictures: &pictures,
            date: &today(),
        };
        (Report::of_recording(&sources).html(), without)
    }

    fn read(&self, pictures: &mut Pictures) -> Result<(), String> {
        let frames = pictures.frames();
        let Some(path) = &self.info.path else {
            return match frames.is_empty() {
                true => Ok(()),
                false => Err("A camera's pictures are not kept".to_owned()),
            };
        };
        let spec = InputSpec::parse(&path.display().to_string(), self.params.fps)
            .map_err(|e| e.to_string())?;
        let mut source = media::open(&spec).map_err(|e| e.to_string())?;
        let mut next = 0;
        for frame in frames {
            if frame < next || frame - next > NEAR {
                source.seek(frame).map_err(|e| e.to_string())?;
            }
            loop {
                let read = source.next_frame().map_err(|e| e.to_string())?;
                let Some(read) = read else {
                    return Err(format!("The recording ends before frame {frame}"));
                };
                next = read.index + 1;
                if read.index >= frame {
                    pictures.keep(read.index, &read.picture);
                    break;
                }
            }
        }
        Ok(())
    }
}

/// That the analysis had not come to its end; `None` where it had, or has stopped and said
/// why.
fn so_far(review: &Review) -> Option<Notice> {
    if review.status.finished {
        return None;
    }
    let last = review.recording.frames.last();
    let at = last.map_or_else(
        || "no frame".to_owned(),
        |record| format!("frame {}, {}", record.frame, record.timestamp.clock()),
    );
    Some(Notice::warning(format!(
        "This report was written while the analysis ran, which had come to {at}. Candidates are \
         provisional, later ones are missing, and length, frames and the agreement between \
         coders are of what was analysed by then."
    )))
}

/// `2026-11-27`, in UTC.
fn today() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.as_nanos() as i64);
    Timestamp::from_nanos(nanos).date()
}
