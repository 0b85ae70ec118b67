use super::*;
use crate::spotting::{ExpressionKind, IntervalStatus, SpottedInterval};

fn spot(onset: u64) -> SpottedInterval {
    SpottedInterval {
        kind: ExpressionKind::Micro,
        onset,
        apex: onset + 5,
        offset: onset + 10,
        score: 0.3,
        status: IntervalStatus::Proposed,
        provisional: true,
    }
}

fn decided(id: u128, onset: u64, status: IntervalStatus) -> Annotation {
    Annotation::decided(AnnotationId(id), "Ada", &spot(onset), status)
}

#[test]
fn a_decision_survives_the_next_decoding() {
    use IntervalStatus::{Accepted, Proposed, Rejected};
    let mut coding = Coding::default();
    coding.sign_as("Ada");
    coding.put("a verdict", decided(1, 100, Accepted));
    coding.put("a verdict", decided(2, 300, Rejected));
    // The next decoding moved one candidate by a frame and dropped the other.
    let list = coding.over(&[spot(101), spot(500)]);
    let seen: Vec<_> = list.iter().map(|i| (i.onset, i.status)).collect();
    assert_eq!(seen, [(100, Accepted), (300, Rejected), (500, Proposed)]);
    assert!(coding.undo().is_ok() && coding.undo().is_ok());
    assert_eq!(coding.undo(), Err(Held::Nothing));
    assert_eq!(coding.over(&[spot(101)])[0].status, Proposed);
    assert_eq!(coding.redo().map(|taken| taken.step.of), Ok("a verdict"));
    assert_eq!(coding.decided(Accepted), 1);
}

#[test]
fn corrected_frames_stand_for_the_candidate_they_were_made_from() {
    let mut coding = Coding::default();
    let mut corrected = decided(1, 100, IntervalStatus::Accepted);
    coding.put("a verdict", corrected.clone());
    // So far that the candidate and its correction hardly overlap.
    (corrected.onset, corrected.apex, corrected.offset) = (108, Some(112), 130);
    let changes = coding.put("the frames", corrected.clone());
    assert_eq!(changes.len(), 1);
    let list = coding.over(&[spot(100)]);
    assert_eq!((list.len(), list[0].onset, list[0].apex), (1, 108, 112));
    for key in [SpotKey::of(&spot(100)), SpotKey::of(&list[0])] {
        assert_eq!(coding.decision_on(key), Some(&corrected));
    }
    assert_eq!(coding.put("the frames", corrected), []);
}

#[test]
fn what_a_person_found_is_no_candidate_and_many_are_one_step() {
    let mut coding = Coding::default();
    let found =
        |id, at| Annotation::found(AnnotationId(id), "Ada", ExpressionKind::Micro, (at, at + 9));
    let put = coding.put_all("an import", [found(2, 50), found(1, 10)]);
    assert_eq!(put.len(), 2);
    assert_eq!(coding.annotations()[0].onset, 10);
    assert!(coding.over(&[]).is_empty());
    let gone = coding.remove("an annotation", AnnotationId(1));
    assert_eq!(gone[0].after, None);
    coding.undo().expect("a step");
    assert_eq!(coding.annotations().len(), 2);
    coding.undo().expect("a step");
    assert!(coding.annotations().is_empty());
}

#[test]
fn a_merge_is_one_step_and_spares_what_was_changed_since() {
    let mut coding = Coding::default();
    let (mine, mut theirs) = (
        decided(1, 100, IntervalStatus::Accepted),
        decided(1, 100, IntervalStatus::Rejected),
    );
    coding.put("a verdict", mine.clone());
    theirs.coder = "Ben".into();
    let new = |id| Change {
        before: None,
        after: Some(Annotation {
            id: AnnotationId(id),
            ..theirs.clone()
        }),
    };
    // Of the first the disk did not know yet what it is here.
    assert!(coding.joined("the merge", vec![new(1), new(2), new(3)]));
    assert_eq!(coding.annotations().len(), 3);
    assert_eq!(coding.get(AnnotationId(1)), Some(&mine));
    let back = coding.undo().expect("one step").step;
    assert_eq!((back.of, back.changes.len()), ("the merge", 2));
    assert_eq!(coding.annotations().len(), 1);
    assert!(!coding.joined("the merge", vec![]));
}

#[test]
fn each_coder_takes_back_their_own_steps_and_never_anothers() {
    let found = |id, coder: &str, at| {
        Annotation::found(AnnotationId(id), coder, ExpressionKind::Micro, (at, at + 9))
    };
    let ids = |coding: &Coding| -> Vec<u128> {
        let mut ids: Vec<u128> = coding.annotations().iter().map(|a| a.id.0).collect();
        ids.sort_unstable();
        ids
    };
    let mut coding = Coding::default();
    coding.sign_as("Ada");
    coding.put("an annotation", found(1, "Ada", 10));
    coding.put("an annotation", found(2, "Ada", 30));
    coding.sign_as("Ben");
    assert_eq!(coding.undo(), Err(Held::Others("Ada".to_owned())));
    coding.put("an annotation", found(3, "Ben", 50));
    coding.sign_as("Ada");
    // Ben's, which is newer, stays.
    assert_eq!(
        coding.undo().map(|taken| taken.step.coder),
        Ok("Ada".to_owned())
    );
    assert_eq!(ids(&coding), [1, 3]);
    coding.sign_as("Ben");
    assert_eq!(coding.redo(), Err(Held::Others("Ada".to_owned())));
    coding.undo().expect("Ben's own");
    assert_eq!(ids(&coding), [1]);
    coding.sign_as("Ada");
    coding.redo().expect("Ada's own");
    assert_eq!(ids(&coding), [1, 2]);
    // What somebody else has changed since is not pulled away under them.
    coding.sign_as("Ben");
    coding.put_all("the import", [found(2, "Ben", 31)]);
    coding.sign_as("Ada");
    assert_eq!(ids(&coding), [1, 2]);
    // It is passed over, which is said once; what lies before it can be reached.
    let back = coding.undo().expect("the first one");
    assert_eq!(ids(&coding), [2]);
    let stays = back.stays.expect("said");
    assert_eq!((stays.of, stays.since.as_str()), ("an annotation", "Ben"));
    assert_eq!(coding.undo(), Err(Held::ChangedSince("Ben".to_owned())));
    assert_eq!(coding.redo().map(|taken| taken.stays), Ok(None));
    assert_eq!(coding.undo().map(|taken| taken.stays), Ok(None));
    assert_eq!(ids(&coding), [2]);
}

#[test]
fn a_step_takes_the_way_forward_from_its_coder_and_over_its_annotations_only() {
    let found = |id, coder: &str, at| {
        Annotation::found(AnnotationId(id), coder, ExpressionKind::Micro, (at, at + 9))
    };
    let mut coding = Coding::default();
    coding.sign_as("Ada");
    coding.put("an annotation", found(1, "Ada", 10));
    coding.put("an annotation", found(2, "Ada", 30));
    coding.undo().expect("the second");
    coding.sign_as("Ben");
    coding.put("an annotation", found(3, "Ben", 50));
    coding.sign_as("Ada");
    coding.redo().expect("Ben has said nothing of it");
    assert_eq!(coding.annotations().len(), 3);
    // Over the same annotation there is none, nor over what was built on it.
    coding.put_all("the import", [found(2, "Ada", 31), found(4, "Ada", 70)]);
    coding.put("the onset", found(4, "Ada", 71));
    coding.undo().expect("the onset");
    coding.undo().expect("the import");
    coding.sign_as("Ben");
    coding.put_all("the merge", [found(2, "Ada", 33)]);
    coding.sign_as("Ada");
    assert_eq!(coding.redo(), Err(Held::Nothing));
}

#[test]
fn what_was_done_without_a_name_is_taken_back_by_who_gives_the_first_one() {
    let mut coding = Coding::default();
    let nameless = |id, onset| Annotation {
        coder: String::new(),
        ..decided(id, onset, IntervalStatus::Accepted)
    };
    coding.put("a verdict", nameless(1, 100));
    let other = nameless(2, 200);
    coding.put("a verdict", other.clone());
    coding.remove("the removal", other.id);
    coding.sign_as("Ada");
    assert_eq!(coding.all_without_a_name_is("Ada").len(), 1);
    let of_ada = |coding: &Coding| coding.annotations().iter().all(|a| a.coder == "Ada");
    assert!(of_ada(&coding));
    // What comes back is hers as well, and the name itself is no step.
    let back = coding.undo().expect("her removal");
    assert_eq!(
        (back.step.of, coding.annotations().len()),
        ("the removal", 2)
    );
    assert!(of_ada(&coding));
    coding.undo().expect("her second verdict");
    coding.undo().expect("her first verdict");
    assert!(coding.annotations().is_empty());
    coding.redo().expect("her first verdict");
    assert!(of_ada(&coding) && coding.annotations().len() == 1);
}

#[test]
fn a_sentence_is_one_step_and_two_coders_verdicts_are_one_candidate() {
    let mut coding = Coding::default();
    coding.sign_as("Ben");
    let mut mine = Annotation {
        coder: "Ben".into(),
        ..decided(1, 100, IntervalStatus::Rejected)
    };
    coding.put("the verdict", mine.clone());
    coding.put("the verdict", decided(2, 100, IntervalStatus::Accepted));
    let list = coding.over(&[spot(100)]);
    assert_eq!((list.len(), list[0].status), (1, IntervalStatus::Rejected));
    let key = SpotKey::of(&list[0]);
    assert_eq!(coding.decision_on(key).map(|a| a.id), Some(mine.id));
    for note in ["s", "sm", "smile"] {
        mine.note = note.into();
        coding.put(NOTE, mine.clone());
    }
    coding.undo().expect("a step");
    assert_eq!(coding.get(mine.id).map(|a| a.note.as_str()), Some(""));
    coding.redo().expect("a step");
    assert_eq!(coding.get(mine.id).map(|a| a.note.as_str()), Some("smile"));
    coding.add_kept(vec![decided(2, 7, IntervalStatus::Accepted)]);
    assert_eq!(coding.annotations().len(), 2);
}
