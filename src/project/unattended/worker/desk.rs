//! What the queue's threads have to do, and what of it is done.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;

use crate::project::unattended::{Job, Plan};
use crate::session::Params;

/// What is wanted and what was done of it.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) plan: Plan,
    pub(super) to_gather: VecDeque<Vec<PathBuf>>,
    /// Tickets of the plan.
    looked_at: BTreeSet<u64>,
    pub(super) ended: BTreeSet<u64>,
    /// A recording is being analysed, perhaps held.
    pub(super) at_work: bool,
    /// All its frames are done, and its results are decoded and written.
    pub(super) filing: bool,
    pub(super) closing: bool,
}

/// What the second thread does next.
pub(super) enum Errand {
    Gather(Vec<PathBuf>),
    Look(Job, Option<f64>),
}

impl Desk {
    pub(super) fn take_plan(&mut self, plan: Plan) {
        let known: BTreeSet<u64> = plan.jobs.iter().map(|job| job.ticket).collect();
        self.looked_at.retain(|ticket| known.contains(ticket));
        self.ended.retain(|ticket| known.contains(ticket));
        self.plan = plan;
    }

    pub(super) fn next_job(&self) -> Option<(Job, Params)> {
        let mut open = (self.plan.jobs.iter()).filter(|job| !self.ended.contains(&job.ticket));
        let job = open.next().filter(|_| self.plan.running)?;
        Some((job.clone(), self.plan.params.clone()))
    }

    pub(super) fn next_errand(&mut self) -> Option<Errand> {
        if let Some(paths) = self.to_gather.pop_front() {
            return Some(Errand::Gather(paths));
        }
        let mut jobs = self.plan.jobs.iter();
        let job = jobs.find(|job| !self.looked_at.contains(&job.ticket))?;
        self.looked_at.insert(job.ticket);
        Some(Errand::Look(job.clone(), self.plan.params.fps))
    }

    pub(super) fn wants(&self, ticket: u64) -> bool {
        self.plan.jobs.iter().any(|job| job.ticket == ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::result_folder::Existing;

    fn plan(tickets: &[u64], running: bool) -> Plan {
        let job = |&ticket: &u64| Job {
            ticket,
            input: format!("{ticket}.mp4").into(),
            out: "out".into(),
            existing: Existing::Ask,
        };
        Plan {
            jobs: tickets.iter().map(job).collect(),
            running,
            params: Params::default(),
        }
    }

    fn next(desk: &Desk) -> Option<u64> {
        desk.next_job().map(|(job, _)| job.ticket)
    }

    #[test]
    fn jobs_go_in_the_plans_order_and_none_goes_twice() {
        let mut desk = Desk::default();
        desk.take_plan(plan(&[1, 2, 3], false));
        assert_eq!(next(&desk), None);
        desk.take_plan(plan(&[1, 2, 3], true));
        assert_eq!(next(&desk), Some(1));
        desk.ended.insert(1);
        // A plan made before the end of the first was known.
        desk.take_plan(plan(&[1, 3, 2], true));
        assert_eq!(next(&desk), Some(3));
        desk.take_plan(plan(&[2], true));
        assert!(desk.ended.is_empty() && !desk.wants(3));
        assert_eq!(next(&desk), Some(2));
    }

    #[test]
    fn every_recording_is_looked_at_once_and_folders_first() {
        let mut desk = Desk::default();
        desk.take_plan(plan(&[1, 2], false));
        desk.to_gather.push_back(vec!["folder".into()]);
        assert!(matches!(desk.next_errand(), Some(Errand::Gather(_))));
        for ticket in [1, 2] {
            let errand = desk.next_errand();
            assert!(matches!(errand, Some(Errand::Look(job, _)) if job.ticket == ticket));
        }
        assert!(desk.next_errand().is_none());
        desk.take_plan(plan(&[2, 4], false));
        assert!(matches!(desk.next_errand(), Some(Errand::Look(job, _)) if job.ticket == 4));
    }
}
