//! Everything that can happen: the only way the state changes.

use super::arrangement::Arrangement;
use super::backend::{CameraEntry, OpenedSession, PlayerOrder, ViewsWanted};
use super::camera_side::RecordingNews;
use serde::{Deserialize, Serialize};

use super::batch::{BatchCommand, BatchOrder};
use super::clip::{ClipDesk, ClipNews};
use super::coder::Coded;
use super::coder::blind::PassesOf;
use super::coding::{Change, SpotKey};
use super::dock::DockCommand;
use super::emotions::EmotionLabels;
use super::exchange::{Desk, Format, ImportSaid};
use super::key_change::KeyEdit;
use super::missing::Missing;
use super::palette::Colours;
use super::project::{Joined, Kept, ProjectNews};
use super::record::RecordedTracks;
use super::report::ReportDesk;
use super::saving::Saving;
use super::second_look::SecondLookView;
use super::settings::ThemeChoice;
use super::time_view::TimeView;
use crate::base::{Notice, Severity, Timestamp};
use crate::media::{Compare, Compared, FilmStrip, Frame, Still, StillKey};
use crate::motion::heat::Heat;
use crate::motion::tvl1::Tvl1Preset;
use crate::project::clip::ClipForm;
use crate::project::file::PassStep;
use crate::project::kept::KeptAnalysis;
use crate::project::unattended::News;
use crate::session::handle::SessionStatus;
use crate::session::magnified_view::MagnifyView;
use crate::session::moment_attention::MomentAttention;
use crate::session::params::{DecodeMode, DeviceChoice, SpotterChoice};
use crate::session::views::Views;
use crate::spotting::{ExpressionKind, IntervalStatus};
use crate::timeline::{Annotation, Event};

/// A file or the folder that holds the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialogKind {
    Recording,
    Folder,
    MacroWeights,
    MicroWeights,
    SecondLookWeights,
    /// A file of annotations to be read.
    Annotations,
    /// Recordings for the queue, several at once.
    QueueFiles,
    /// Folders of them, or of images.
    QueueFolders,
    /// Where the queue's results go.
    ResultsFolder,
    /// Another coder's project of the same recording.
    OtherProject,
    /// Where a project's recording lies now.
    MissingRecording,
    MissingFolder,
}

/// What the window is laid out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Room {
    /// Candidates are gone through.
    #[default]
    Review,
    /// Frames are coded by hand.
    Annotate,
    /// A camera is shown as it comes.
    Live,
    /// Recordings are analysed one after another.
    Batch,
}

impl Room {
    /// The room in which what is opened from here is seen.
    #[must_use]
    pub const fn with_a_recording(self, blind: bool) -> Self {
        match self {
            Self::Batch => Self::of_a_recording(blind),
            other => other,
        }
    }

    /// Where a recording is seen that comes into a room that shows none: nothing is shown
    /// unasked to whoever codes blind.
    #[must_use]
    pub const fn of_a_recording(blind: bool) -> Self {
        if blind { Self::Annotate } else { Self::Review }
    }
}

/// The right-hand column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SideTab {
    #[default]
    Candidates,
    Log,
    Settings,
}

/// What lies over the window until it is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    /// Every key and what it does.
    Keys,
    /// The same, to change them.
    ChangeKeys,
    /// What the program is, and of what it is made.
    About,
    /// What was opened last.
    Recent,
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
    /// The same for a dialog in which several can be chosen; empty where none was.
    SeveralChosen(Vec<std::path::PathBuf>),
    EditPath(String),
    Open(String),
    OpenSample,
    /// What is open, whatever is kept of it.
    AnalyseAgain,
    /// A project's recording is not found.
    AskWhere(Missing),
    /// Nobody knows where it is.
    GiveUp,
    ListCameras,
    /// Which of the recordings opened last are still there.
    LookForRecent,
    ForgetMissing,

    // Playing.
    TogglePlay,
    Pause,
    /// Frames forward, or back where negative.
    Step(i64),
    /// So many times the jump that the settings name, back where negative.
    Jump(i64),
    Seek(u64),
    SeekSecs(f64),
    First,
    Last,
    Speed(f32),
    /// To the next faster (1) or slower (-1) preset.
    SpeedStep(i8),
    PlayFaster,
    /// Over what is selected, and on to the end again.
    ToggleLoop,
    NextSpot,
    PreviousSpot,
    /// From what a camera showed to what it shows.
    BackToLive,
    /// Begins or ends recording the camera.
    ToggleRecord,
    /// The camera's picture as in a mirror, or as others see it.
    ToggleMirror,

    // Judging.
    Select(Option<SpotKey>),
    Decide(IntervalStatus),
    /// What a person says of a stretch.
    Code(Coded),
    Undo,
    Redo,
    /// Writes the candidates with their standing to a new file.
    Save,
    Export(Format),
    Report,
    /// What is selected, magnified beside the original, to a new file.
    Clip(ClipForm),
    Import(std::path::PathBuf),
    /// Another coder's project of this recording.
    Merge(std::path::PathBuf),
    Merged {
        generation: u64,
        joined: Box<Joined>,
    },
    /// Shows two coders side by side; `None` ends that.
    CompareCoders(Option<[String; 2]>),
    /// To the next (1) or previous (-1) thing on which they differ.
    Disagree(i8),
    /// To one of them, counted from 0.
    ToDisagreement(usize),
    /// What an import brought, of the session that asked for it.
    Imported {
        generation: u64,
        annotations: Vec<Annotation>,
    },
    /// What is to be said of it.
    ImportSaid {
        generation: u64,
        said: Box<ImportSaid>,
    },

    // The queue.
    Batch(BatchCommand),

    // Looking.
    ToggleOverlay(Overlay),
    ToggleView(View),
    NextView,
    Magnify(MagnifyView),
    /// How the magnified picture stands to the original.
    Arrange(Arrangement),
    NextArrangement,
    /// The line of a wiped picture, in parts of its width from the left.
    Wipe(f32),
    /// The same, from where it stands.
    WipeBy(f32),
    /// Onset, frame on the screen, apex and difference.
    ToggleTriptych,
    /// So many times the difference.
    DifferenceGain(f32),
    /// The candidates that the list shows now.
    InSight(Vec<SpotKey>),
    /// `None` shows everything.
    LookAt(Option<TimeView>),
    FitSelected,
    SelectTime(Option<(f64, f64)>),
    FitSelection,
    /// Hides candidates below; `None` goes back to the decoding's threshold.
    Floor(ExpressionKind, Option<f64>),
    ShowTab(SideTab),
    Room(Room),
    Emotions(EmotionLabels),
    Theme(ThemeChoice),
    /// For whose eyes the meanings are coloured.
    Colours(Colours),
    /// In which colours strain and attention are drawn.
    Heat(Heat),
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
    /// Which panels stand where.
    Dock(DockCommand),
    /// Opens a sheet, or closes it where it is open.
    Show(Sheet),
    /// A person changes a key.
    Keys(KeyEdit),
    /// How many frames a jump goes; 2 to 10,000.
    JumpBy(u32),
    HintsSeen,
    ToggleFullScreen,
    Escape,
    Dismiss(u64),
    DismissAll,
    Copy(String),
    /// From which severity on the log shows what was said.
    LogFrom(Severity),
    /// Writes the log to a new file.
    SaveLog,

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
    /// Where the network looked at a moment.
    Attention(Box<MomentAttention>),
    Strip {
        generation: u64,
        strip: Box<FilmStrip>,
    },
    Stills {
        generation: u64,
        stills: Vec<Still>,
    },
    Compared {
        generation: u64,
        compared: Box<Compared>,
    },
    /// Of the recordings opened last, those that are not where they were.
    RecentMissing(Vec<std::path::PathBuf>),
    /// The project file of the open recording, or why there is none.
    Project {
        generation: u64,
        news: Box<ProjectNews>,
    },
    /// Whose blind passes of recordings in the queue were left in their middle.
    Passes(Vec<PassesOf>),
    /// What has reached the disk.
    Kept {
        generation: u64,
        kept: Kept,
    },
    PlaybackEnded {
        generation: u64,
    },
    /// The newest seek, to this frame, has been answered: its picture came before this, or
    /// none comes.
    SeekEnded {
        generation: u64,
        asked: u64,
        /// The recording's last frame, where the player has come to it.
        last: Option<u64>,
    },
    /// The furthest frame that the player has decoded, where it lies behind the stated length,
    /// and when it is shown.
    Decoded {
        generation: u64,
        furthest: (u64, Timestamp),
    },
    /// The camera stands; these of its frames, by its own numbers, can be gone through.
    Frozen {
        generation: u64,
        frames: (u64, u64),
    },
    /// How a recording gets on.
    Recording {
        generation: u64,
        news: Box<RecordingNews>,
    },
    BatchNews(News),
    ClipNews(ClipNews),
    Say(Notice),
}

impl Command {
    /// Plays, or goes elsewhere in what is open.
    #[must_use]
    pub(super) const fn goes(&self) -> bool {
        matches!(
            self,
            Self::TogglePlay
                | Self::Pause
                | Self::Step(_)
                | Self::Jump(_)
                | Self::Seek(_)
                | Self::SeekSecs(_)
                | Self::First
                | Self::Last
                | Self::PlayFaster
                | Self::ToggleLoop
                | Self::NextSpot
                | Self::PreviousSpot
                | Self::Select(_)
        )
    }
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
    /// In place of those wanted before, the most urgent first.
    Stills(Vec<StillKey>),
    Compare(Box<Compare>),
    /// Whether they are still there.
    LookForRecent(Vec<std::path::PathBuf>),
    Copy(String),
    FullScreen(bool),
    Theme(ThemeChoice),
    SaveSettings,
    SaveCandidates(Box<Saving>),
    /// What was said, and the recording beside which it goes.
    SaveLog(String, Option<std::path::PathBuf>),
    Export(Format, Box<Desk>),
    Report(Box<ReportDesk>),
    Clip(Box<ClipDesk>),
    Import(std::path::PathBuf, Box<Desk>),
    /// Into the project file, at once.
    Keep(Vec<Change>),
    KeepAnalysis(Box<KeptAnalysis>),
    /// A coder's blind pass of the open recording takes a step.
    BlindPass(String, PassStep),
    /// Whose blind passes of these recordings go on.
    LookForPasses(Vec<std::path::PathBuf>),
    AnalyseAgain(String),
    /// The project's recording is said to lie there.
    Locate {
        project: std::path::PathBuf,
        place: std::path::PathBuf,
    },
    Merge(std::path::PathBuf),
    /// Begin or end recording the camera.
    Record(bool),
    /// What was read of the camera while it was recorded.
    RecordedTracks(Box<RecordedTracks>),
    Batch(Box<BatchOrder>),
    /// Paint again after so many seconds, although nothing else happens.
    WakeAfter(f64),
}
