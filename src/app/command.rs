//! Everything that can happen: the only way the state changes.

use super::backend::{CameraEntry, OpenedSession, PlayerOrder, ViewsWanted};
use super::decisions::SpotKey;
use super::saving::Saving;
use super::second_look::SecondLookView;
use super::settings::{PanelSizes, ThemeChoice};
use super::time_view::TimeView;
use crate::base::Notice;
use crate::media::Frame;
use crate::motion::tvl1::Tvl1Preset;
use crate::session::handle::SessionStatus;
use crate::session::magnified_view::MagnifyView;
use crate::session::params::{DecodeMode, DeviceChoice, SpotterChoice};
use crate::session::views::Views;
use crate::spotting::{ExpressionKind, IntervalStatus};
use crate::timeline::Event;

/// A file or the folder that holds the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialogKind {
    Recording,
    Folder,
    MacroWeights,
    MicroWeights,
    SecondLookWeights,
}

/// The right-hand column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SideTab {
    #[default]
    Candidates,
    Log,
    Settings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlay {
    FaceBox,
    Landmarks,
    Regions,
    Attention,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    Magnified,
    Led,
    Flow,
    Strain,
}

#[derive(Debug, Clone)]
pub enum Command {
    // Opening.
    AskForInput(DialogKind),
    DialogClosed(DialogKind, Option<std::path::PathBuf>),
    EditPath(String),
    Open(String),
    OpenSample,
    ListCameras,

    // Playing.
    TogglePlay,
    Pause,
    /// Frames forward, or back where negative.
    Step(i64),
    Seek(u64),
    SeekSecs(f64),
    First,
    Last,
    Speed(f32),
    /// To the next faster (1) or slower (-1) preset.
    SpeedStep(i8),
    PlayFaster,
    NextSpot,
    PreviousSpot,

    // Judging.
    Select(Option<SpotKey>),
    Decide(IntervalStatus),
    Undo,
    Redo,
    /// Writes the candidates with their standing to a new file.
    Save,

    // Looking.
    ToggleOverlay(Overlay),
    ToggleView(View),
    NextView,
    Magnify(MagnifyView),
    /// `None` shows everything.
    LookAt(Option<TimeView>),
    FitSelected,
    SelectTime(Option<(f64, f64)>),
    FitSelection,
    /// Hides candidates below; `None` goes back to the decoding's threshold.
    Floor(ExpressionKind, Option<f64>),
    ShowTab(SideTab),
    Theme(ThemeChoice),
    Decode(DecodeMode),
    Device(DeviceChoice),
    /// How exactly the next analysis computes flow.
    Flow(Tvl1Preset),
    /// `None` goes back to the control signal.
    Weights(ExpressionKind, Option<std::path::PathBuf>),
    Spotter(SpotterChoice),
    /// Which networks look at candidates besides.
    SecondLookWeights(Vec<std::path::PathBuf>),
    LookAgain(SecondLookView),
    ToggleSecondLook,
    Panels(PanelSizes),
    ToggleHelp,
    HintsSeen,
    ToggleFullScreen,
    Escape,
    Dismiss(u64),
    DismissAll,
    Copy(String),

    // What the machinery tells.
    Clock(f64),
    Opened(Box<OpenedSession>),
    OpenFailed {
        input: String,
        why: String,
    },
    Cameras(Result<Vec<CameraEntry>, String>),
    Events {
        generation: u64,
        events: Vec<Event>,
    },
    Status {
        generation: u64,
        status: SessionStatus,
    },
    Picture {
        generation: u64,
        frame: Frame,
    },
    Views {
        generation: u64,
        views: Box<Views>,
    },
    PlaybackEnded {
        generation: u64,
    },
    Say(Notice),
}

/// What a command asks of the world outside the state.
#[derive(Debug, Clone)]
pub enum Effect {
    Open(String),
    OpenSample,
    Dialog(DialogKind),
    ListCameras,
    Player(PlayerOrder),
    Views(Box<ViewsWanted>),
    Copy(String),
    FullScreen(bool),
    Theme(ThemeChoice),
    SaveSettings,
    SaveCandidates(Box<Saving>),
    /// Paint again after so many seconds, although nothing else happens.
    WakeAfter(f64),
}
