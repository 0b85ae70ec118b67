//! What the window needs of the machinery behind it: one trait, so that the
//! window can be driven by a script.

use std::collections::BTreeMap;
use std::path::Path;

use super::batch::BatchOrder;
use super::coding::Change;
use super::command::Command;
use super::kept::Earlier;
use crate::face::crop::HeldCrop;
use crate::facs::ActionUnit;
use crate::media::{Compare, Frame, SourceInfo, StillKey, StripWish};
use crate::motion::heat::Heat;
use crate::project::file::{BlindPass, PassStep};
use crate::project::kept::KeptAnalysis;
use crate::session::Params;
use crate::session::facts::AnalysisFacts;
use crate::session::magnified_view::MagnifyView;
use crate::session::moment_attention::MomentWish;
use crate::spotting::ExpressionKind;
use crate::timeline::ScoreSource;

/// A recording or camera that has been opened and is being analysed.
#[derive(Debug, Clone)]
pub struct OpenedSession {
    /// Increases with every session; what an older one tells is discarded.
    pub generation: u64,
    pub info: SourceInfo,
    /// Which signal speaks, per kind.
    pub sources: BTreeMap<ExpressionKind, ScoreSource>,
    /// How it is analysed, as known at the start.
    pub analysed: AnalysisFacts,
    pub params: Params,
    /// The project file that was opened; `None` where the recording was.
    pub project: Option<std::path::PathBuf>,
    /// What is shown was analysed in an earlier session; `None` where it is analysed now.
    pub earlier: Option<Earlier>,
    /// The same for every path that leads to the recording; `None` where that is its path, or
    /// it has none.
    pub place: Option<std::path::PathBuf>,
    /// All coders', as the project knew them when it was opened.
    pub blind_passes: Vec<BlindPass>,
    /// The action units that are read and from which probability on each is called
    /// present; empty where none is read.
    pub unit_thresholds: BTreeMap<ActionUnit, f64>,
    /// Names of the weights that look at each candidate besides.
    pub second_look: Vec<String>,
    /// Where motion is measured and the networks score: [`PROCESSOR`] or the graphics card.
    pub device: String,
}

/// What a person reads where no graphics card computes.
pub const PROCESSOR: &str = "the processor";

/// What the player is told. Frames count from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PlayerOrder {
    Play,
    Pause,
    Seek(u64),
    /// 1 is the recording's own pace.
    Speed(f32),
    /// Plays these frames over and over; `None` plays to the end.
    Loop(Option<(u64, u64)>),
    /// The frames beside the one on the screen; `None` for none.
    Strip(Option<StripWish>),
    /// A camera's picture stands, and its last half minute can be gone through; the
    /// camera goes on behind it.
    Freeze,
    /// Back to the camera's newest picture.
    Live,
}

/// A camera that may be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraEntry {
    /// What opens it, `camera:0`.
    pub input: String,
    pub name: String,
    /// Why it cannot be used now; `None` where it can.
    pub trouble: Option<String>,
    /// The formats that can be asked for, the one that is taken otherwise first.
    pub formats: Vec<CameraFormatEntry>,
}

/// A camera in one of its formats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraFormatEntry {
    /// What opens it, `camera:0@640x480@30@yuyv`.
    pub input: String,
    /// "640 × 480 YUYV at 30 frames/s".
    pub name: String,
}

/// What to draw beside the original for the frame shown.
#[derive(Debug, Clone)]
pub struct ViewsWanted {
    /// Of the session whose recording is shown.
    pub generation: u64,
    pub frame: Frame,
    pub crop: HeldCrop,
    pub led: bool,
    pub flow: bool,
    pub strain: bool,
    /// The strain's palette.
    pub heat: Heat,
    pub magnify: Option<MagnifyView>,
    /// Somebody wants to see where the network looks: the frames for it are kept.
    pub attention: bool,
    /// At this moment, where a unit stands out.
    pub moment: Option<Box<MomentWish>>,
}

/// The machine the window runs on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// The graphics adapter's name; `None` without one.
    pub adapter: Option<String>,
    /// The adapter is a program on the CPU (llvmpipe and its like).
    pub software: bool,
}

/// Everything that has threads. No call waits; what comes of it arrives by [`Backend::poll`].
pub trait Backend {
    /// Opens a file, a folder of images or `camera:N` in place of what is open. Where its
    /// project keeps an analysis of it, that is shown and nothing is analysed.
    fn open(&mut self, input: &str, params: &Params);
    /// The same, but it is analysed whatever is kept.
    fn analyse_again(&mut self, input: &str, params: &Params);
    /// Opens a project whose recording now lies at `place`, which is remembered; another
    /// recording is refused by [`Command::AskWhere`].
    fn locate(&mut self, project: &Path, place: &Path, params: &Params);
    /// What opens the bundled recording.
    ///
    /// # Errors
    /// Where it cannot be put on the disk.
    fn sample(&self) -> Result<String, String>;
    fn list_cameras(&mut self);
    fn player(&mut self, order: PlayerOrder);
    /// Begins or ends a recording of the open camera. How it gets on arrives as
    /// [`Command::Recording`].
    fn record(&mut self, on: bool);
    /// The newest request wins.
    fn request_views(&mut self, wanted: ViewsWanted);
    /// Small pictures in place of those wanted before, the most urgent first.
    fn stills(&mut self, wanted: Vec<StillKey>);
    /// The newest comparison wins.
    fn compare(&mut self, wanted: Compare);
    /// Writes changes into the open recording's project; the `count`th of the session.
    /// How it fared arrives as [`Command::Kept`].
    fn keep(&mut self, changes: Vec<Change>, count: u64, coder: &str);
    /// What becomes of it arrives as [`Command::BatchNews`].
    fn batch(&mut self, order: BatchOrder);
    /// Writes the whole analysis into the project of the open recording, once it has one.
    fn keep_analysis(&mut self, analysis: KeptAnalysis);
    /// A step of a coder's blind pass goes into the project of the open recording, once it
    /// has one. That a recording was left needs no telling.
    fn blind_pass(&mut self, coder: &str, step: PassStep);
    /// Takes over what another project says of the open recording; what came of it
    /// arrives as [`Command::Merged`].
    fn merge(&mut self, other: &Path, coder: &str);
    /// The window closes: what ends with it, and is to be carried out first.
    fn close(&mut self) -> Vec<Command> {
        vec![]
    }
    /// What has arrived since the last call, in order.
    fn poll(&mut self) -> Vec<Command>;
}
