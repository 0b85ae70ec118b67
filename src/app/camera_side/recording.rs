//! The file a camera is recorded to.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::CameraSide;
use crate::media::recorder::{Recorder, RecordingState};

/// A recording as the window shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingNews {
    pub state: RecordingState,
    /// Nothing more is written.
    pub ended: bool,
}

pub(super) type Slot = Arc<Mutex<Option<Recorder>>>;

impl CameraSide {
    /// Begins a recording, or ends the one there is: how it ended is told later.
    ///
    /// # Errors
    /// A sentence where it cannot be begun.
    pub fn record(&mut self, on: bool, path: Option<PathBuf>) -> Result<(), String> {
        let mut slot = lock(&self.recorder);
        match (on, slot.is_some()) {
            (true, false) => {
                let path = path.ok_or(
                    "Cannot record: this account has no folder of its own. Start Onset in a \
                     session that has one.",
                )?;
                *slot = Some(Recorder::start(&path, &self.info).map_err(|e| e.to_string())?);
            }
            (false, true) => {
                let recorder = slot.take();
                let ended = self.ended.clone();
                // The encoder may have two seconds of pictures before it.
                let ending = std::thread::Builder::new()
                    .name("recording ends".into())
                    .spawn(move || ended.post(recorder.map(Recorder::finish)))
                    .map_err(|e| {
                        format!("The recording ends when the camera is let go: the system refuses another thread ({e}).")
                    })?;
                self.ending = Some(ending);
            }
            _ => {}
        }
        Ok(())
    }

    /// Ends a recording at once, because its camera goes; waits for its last pictures.
    pub fn end_recording(&mut self) -> Option<RecordingNews> {
        let running = lock(&self.recorder).take().map(Recorder::finish);
        if let Some(ending) = self.ending.take() {
            // The recorder catches its own failures; there is nothing left to report.
            let _ = ending.join();
        }
        let state = running.or_else(|| self.ended.take_all().pop())?;
        Some(RecordingNews { state, ended: true })
    }

    /// How the recording is getting on; `None` without one, and where nothing has changed.
    pub fn recording(&mut self) -> Option<RecordingNews> {
        if let Some(state) = self.ended.take_all().pop() {
            return Some(RecordingNews { state, ended: true });
        }
        let mut slot = lock(&self.recorder);
        let state = slot.as_ref()?.state();
        if state.failed.is_some() {
            let state = slot.take().map(Recorder::finish).unwrap_or(state);
            return Some(RecordingNews { state, ended: true });
        }
        drop(slot);
        // A second's worth at a time is enough to read.
        let before = self.told.as_ref();
        let changed = before.is_none_or(|b| (state.secs - b.secs).abs() >= 0.2);
        if !changed {
            return None;
        }
        self.told = Some(state.clone());
        let ended = false;
        Some(RecordingNews { state, ended })
    }
}

pub(super) fn lock(slot: &Mutex<Option<Recorder>>) -> MutexGuard<'_, Option<Recorder>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
