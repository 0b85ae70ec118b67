//! Our own layout, and what is said where nothing can be read.

use std::path::Path;

use onset::base::Severity;
use onset::dataset::{DatasetKind, DistractorKind, check, open, recognise};
use onset::facs::write_units;

use super::{Tree, named, names, numbered, said};

fn recordings(labels: &str) -> Tree {
    let tree = Tree::new();
    tree.images("a", numbered("f", 2, 0..=39));
    tree.images("b", numbered("f", 2, 0..=39));
    tree.file(
        "index.csv",
        b"subject,recording,path,fps\ns10,b,b,30\ns2,a,a,30\ns3,gone,gone.mp4,30\ns2,a,a,30\n",
    );
    tree.file("labels.csv", labels.as_bytes());
    tree.file(
        "distractors.csv",
        b"recording,what,start,end\na,blink,3,5\na,sneeze,3,5\nb,white_balance,7,7\nz,blink,1,2\n",
    );
    tree
}

#[test]
fn our_own_recordings_are_read_with_their_distractors() {
    let tree = recordings(
        "recording,kind,onset,apex,offset,emotion,aus\n\
         a,micro,0,3,8,anger,AU4B+AU12LC\n\
         b,macro,10,20,39,happiness,\n\
         b,macro,10,20,40,happiness,AU12C\n\
         b,blink,1,2,3,,\n\
         c,micro,1,2,3,,\n",
    );
    assert_eq!(
        recognise(tree.root()).expect("known"),
        DatasetKind::Recordings
    );
    let index = open(DatasetKind::Recordings, tree.root()).expect("reads");
    assert_eq!(names(&index), ["a", "b"]);
    assert_eq!(index.subjects(), ["s2", "s10"]);
    let a = named(&index, "a");
    let event = &a.events[0];
    assert_eq!((event.onset, event.apex, event.offset), (0, Some(3), 8));
    assert_eq!(
        write_units(event.aus.as_deref().expect("coded")),
        "AU4B+AU12LC"
    );
    assert_eq!(a.distractors.len(), 1);
    assert_eq!(
        named(&index, "b").distractors[0].kind,
        DistractorKind::WhiteBalance
    );
    said(&index, Severity::Error, "gone is not there (gone.mp4)");
    said(&index, Severity::Error, "listed already");
    said(
        &index,
        Severity::Error,
        "Frame 40 lies behind the last of its recording, 39",
    );
    said(
        &index,
        Severity::Error,
        "'blink' is neither macro nor micro",
    );
    said(
        &index,
        Severity::Error,
        "The recording c is not in index.csv",
    );
    said(&index, Severity::Warning, "'sneeze'");
    said(
        &index,
        Severity::Warning,
        "The recording z is not in index.csv",
    );
    let report = check::check(&index, |_| {});
    assert_eq!(report.distractors["blink"], 1);
    assert_eq!(report.frame_rates["30"], 2);
}

#[test]
fn frames_without_content_are_found_before_training() {
    let tree = recordings("recording,kind,onset,apex,offset\na,micro,0,3,8\nb,micro,1,2,3\n");
    tree.file("a/f03.jpg", b"");
    tree.file("b/f00.jpg", b"no image");
    let index = open(DatasetKind::Recordings, tree.root()).expect("reads");
    let report = check::check(&index, |_| {});
    let told: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    let holds = |words: &str| told.iter().any(|t| t.contains(words));
    assert!(
        holds("The apex of a cannot be used: it is empty (0 bytes). Unpack it again: a/f03.jpg"),
        "{told:#?}"
    );
    assert!(
        holds("The first frame of b cannot be used: it is no image"),
        "{told:#?}"
    );
}

#[test]
fn a_wrong_root_says_what_belongs_there() {
    let tree = Tree::new();
    for kind in DatasetKind::ALL {
        let error = open(kind, tree.root()).expect_err("empty").to_string();
        assert!(error.contains("is missing. Choose the folder"), "{error}");
        assert!(
            error.ends_with(&tree.root().display().to_string()),
            "{error}"
        );
    }
    let error = recognise(tree.root()).expect_err("nothing").to_string();
    assert!(error.contains("--dataset"), "{error}");
    assert!(open(DatasetKind::Samm, Path::new("/nowhere")).is_err());
    // Labels that fit no recording at all are no data.
    let tree = recordings("recording,kind,onset,apex,offset\nq,micro,0,3,8\n");
    let error = open(DatasetKind::Recordings, tree.root())
        .expect_err("none fits")
        .to_string();
    assert!(error.contains("not one of 1 label rows"), "{error}");
    // A sheet without its columns.
    let tree = Tree::new();
    tree.images("sub01/EP01", numbered("img", 1, 1..=3));
    tree.file("CASME2-coding.csv", b"who,what\n1,2\n");
    let error = open(DatasetKind::Casme2, tree.root())
        .expect_err("no columns")
        .to_string();
    assert!(error.contains("Subject, Filename, OnsetFrame"), "{error}");
}
