//! The desktop's file dialog, on a thread of its own: it may hang, fail at once,
//! or never appear, and the window must not notice.

use std::path::{Path, PathBuf};

use super::command::{Command, DialogKind};
use crate::base::Mailbox;
use crate::project::file::ENDING;

pub struct Dialogs {
    ctx: egui::Context,
    chosen: Mailbox<(DialogKind, Vec<PathBuf>)>,
}

impl Dialogs {
    #[must_use]
    pub fn new(ctx: egui::Context) -> Self {
        Self {
            ctx,
            chosen: Mailbox::default(),
        }
    }

    /// Asks; the answer comes by [`Dialogs::poll`].
    pub fn open(&self, kind: DialogKind, folder: Option<&Path>) {
        let (ctx, chosen) = (self.ctx.clone(), self.chosen.clone());
        let folder = folder.map(Path::to_path_buf);
        let asked = std::thread::Builder::new()
            .name("file dialog".into())
            .spawn(move || {
                chosen.post([(kind, ask(kind, folder.as_deref()))]);
                ctx.request_repaint();
            });
        if asked.is_err() {
            self.chosen.post([(kind, vec![])]);
        }
    }

    pub fn poll(&self) -> Vec<Command> {
        self.chosen
            .take_all()
            .into_iter()
            .map(|(kind, paths)| match kind {
                DialogKind::QueueFiles | DialogKind::QueueFolders => Command::SeveralChosen(paths),
                _ => Command::DialogClosed(kind, paths.into_iter().next()),
            })
            .collect()
    }
}

/// Empty where nothing was chosen.
fn ask(kind: DialogKind, folder: Option<&Path>) -> Vec<PathBuf> {
    let mut dialog = rfd::FileDialog::new();
    if let Some(folder) = folder.filter(|f| f.is_dir()) {
        dialog = dialog.set_directory(folder);
    }
    let one = match kind {
        DialogKind::QueueFiles => {
            let dialog = dialog.set_title("Add recordings to the queue");
            return dialog.pick_files().unwrap_or_default();
        }
        DialogKind::QueueFolders => {
            let dialog = dialog.set_title("Add folders of recordings or of images to the queue");
            return dialog.pick_folders().unwrap_or_default();
        }
        DialogKind::ResultsFolder => dialog.set_title("Folder for results").pick_folder(),
        DialogKind::Recording => dialog.set_title("Open recording").pick_file(),
        DialogKind::Folder => dialog.set_title("Open folder of images").pick_folder(),
        DialogKind::Annotations => dialog
            .set_title("Read annotations")
            .add_filter("Annotations", &["csv", "tsv", "eaf", "json"])
            .pick_file(),
        DialogKind::OtherProject => dialog
            .set_title("Add another coder's project")
            .add_filter("Projects", &[ENDING])
            .pick_file(),
        DialogKind::MissingRecording => dialog.set_title("Where is the recording?").pick_file(),
        DialogKind::MissingFolder => dialog
            .set_title("Where is the folder of images?")
            .pick_folder(),
        DialogKind::MacroWeights => dialog
            .set_title("Weights for macro-expressions")
            .pick_file(),
        DialogKind::MicroWeights => dialog
            .set_title("Weights for micro-expressions")
            .pick_file(),
        DialogKind::SecondLookWeights => {
            dialog.set_title("Weights for the second look").pick_file()
        }
    };
    one.into_iter().collect()
}
