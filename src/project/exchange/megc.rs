//! What the Micro-Expression Grand Challenges' scorers read: comma-separated text,
//! frames with both ends included.
//!
//! * Spotting (2022 to 2024): `vid,pred_onset,pred_offset,type`, `type` `me` or `mae`,
//!   one file a database (`cas_pred.csv`, `samm_pred.csv`), as the programs that two
//!   entries published write them.
//! * Spot-then-recognise (2025): `subject,video,onset,offset,emotion`, as the data of
//!   the published scorer (genbing99/STRS-Metric) have them.
//!
//! Both are taken from published programs; an organiser's own description of the files
//! was not to be had, so compare with the year's example before you submit.

use super::Sheet;
use crate::spotting::{ExpressionKind, IntervalStatus};
use crate::timeline::Annotation;

/// What is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submission {
    /// Number of the first frame: 0 as here, or 1 as in the databases' label sheets.
    pub first_frame: u64,
    /// Takes candidates along that nobody has decided on.
    pub with_proposed: bool,
}

impl Submission {
    fn chosen<'a>(self, sheet: &Sheet<'a>) -> Vec<&'a Annotation> {
        let mut chosen: Vec<&Annotation> = (sheet.annotations.iter())
            .filter(|a| match a.status {
                IntervalStatus::Accepted => true,
                IntervalStatus::Proposed => self.with_proposed,
                IntervalStatus::Rejected => false,
            })
            .collect();
        chosen.sort_by_key(|a| (a.onset, a.offset, a.id));
        chosen
    }
}

/// The spotting table of several recordings, `recording` as the video's name.
#[must_use]
pub fn spotting(sheets: &[Sheet], submission: Submission) -> String {
    let header = ["vid", "pred_onset", "pred_offset", "type"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for sheet in sheets {
        for a in submission.chosen(sheet) {
            let kind = match a.kind {
                ExpressionKind::Macro => "mae",
                ExpressionKind::Micro => "me",
            };
            rows.push(vec![
                sheet.recording.to_owned(),
                (a.onset + submission.first_frame).to_string(),
                (a.offset + submission.first_frame).to_string(),
                kind.to_owned(),
            ]);
        }
    }
    super::csv::table(&rows)
}

/// A recording with the person in it, as the spot-then-recognise scorer groups them.
#[derive(Debug, Clone, Copy)]
pub struct SubjectSheet<'a> {
    pub subject: &'a str,
    pub sheet: Sheet<'a>,
}

/// The spot-then-recognise table of the micro-expressions of several recordings, and
/// how many of them are left out because they name no emotion.
#[must_use]
pub fn recognition(sheets: &[SubjectSheet], submission: Submission) -> (String, usize) {
    let header = ["subject", "video", "onset", "offset", "emotion"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let mut without = 0;
    for SubjectSheet { subject, sheet } in sheets {
        for a in submission.chosen(sheet) {
            if a.kind != ExpressionKind::Micro {
                continue;
            }
            let Some(emotion) = &a.emotion else {
                without += 1;
                continue;
            };
            rows.push(vec![
                (*subject).to_owned(),
                sheet.recording.to_owned(),
                (a.onset + submission.first_frame).to_string(),
                (a.offset + submission.first_frame).to_string(),
                emotion.clone(),
            ]);
        }
    }
    (super::csv::table(&rows), without)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{clocks, nasty, plain};
    use super::*;

    #[test]
    fn spotting_lists_what_is_decided() {
        let clock = &clocks()[0];
        let mut late = plain(9, "Ben", 50, 60);
        late.kind = ExpressionKind::Macro;
        let mut all = nasty();
        all.truncate(4);
        let sheets = [("s1, \"x\"", vec![late]), ("s2", all)].map(|(n, a)| (n, a));
        let sheets: Vec<Sheet> = sheets
            .iter()
            .map(|(recording, annotations)| Sheet {
                recording,
                annotations,
                clock,
            })
            .collect();
        let decided = Submission {
            first_frame: 0,
            with_proposed: false,
        };
        assert_eq!(
            spotting(&sheets, decided),
            "vid,pred_onset,pred_offset,type\n\"s1, \"\"x\"\"\",50,60,mae\ns2,10,20,me\ns2,12,18,mae\n"
        );
        let all = Submission {
            first_frame: 1,
            with_proposed: true,
        };
        assert!(spotting(&sheets, all).ends_with("s2,31,91,me\n"));
    }

    #[test]
    fn recognition_lists_micro_expressions_with_an_emotion() {
        let annotations = nasty();
        let sheet = Sheet {
            recording: "EP02_01f",
            annotations: &annotations,
            clock: &clocks()[0],
        };
        let subject = [SubjectSheet {
            subject: "1",
            sheet,
        }];
        let decided = Submission {
            first_frame: 0,
            with_proposed: false,
        };
        let (text, without) = recognition(&subject, decided);
        assert_eq!(
            text,
            "subject,video,onset,offset,emotion\n1,EP02_01f,10,20,happiness\n"
        );
        assert_eq!(without, 3);
    }
}
