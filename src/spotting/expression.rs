//! From movements to expressions: a movement away and the movement back.

use super::ExpressionKind;
use super::movement::Movement;
use super::params::DecodeParams;
use super::posture::Posture;
use super::series::Series;
use super::signal::Stretch;

/// One expression in seconds of the recording.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expression {
    /// Index of the unbroken stretch it lies in.
    pub(crate) stretch: usize,
    pub(crate) onset: f64,
    pub(crate) apex: f64,
    pub(crate) offset: f64,
    /// Away and back were both seen; else the length is a guess and it is no micro.
    pub(crate) whole: bool,
}

/// Below this likeness one movement undoes the other, above `SAME` it repeats it.
const OPPOSITE: f64 = -0.3;
const SAME: f64 = 0.3;

// The cheapest explanation of a stretch wins; costs count in movements left alone.
const ALONE: f64 = 1.0;
/// A strong movement inside an expression that belongs to no pair of its own.
const ABSORBED: f64 = 0.5;
/// A pair of which only one is strong.
const WITH_A_WEAK_ONE: f64 = 0.3;
/// A pair that frames a perfectly neutral face.
const REST: f64 = 3.0;
/// Heights that differ by this factor cost as much as a movement left alone.
const HEIGHT_FACTOR: f64 = 4.0;
/// Half a short window.
const FOOT_SLACK_SECS: f64 = 0.1;
/// How many movements one expression may consist of.
const MOST_MOVEMENTS: usize = 12;

/// One list from both windows' movements: the short window shows a movement more
/// sharply, so the long window's is kept only where the short one saw nothing strong.
pub(crate) fn merge(micro: Vec<Movement>, macros: Vec<Movement>) -> Vec<Movement> {
    // The lobes of a quick movement away and back stand half a long window off it,
    // so their inner feet may just miss the short window's.
    let covers = |long: &Movement, short: &Movement| {
        long.from - FOOT_SLACK_SECS <= short.peak && short.peak <= long.to + FOOT_SLACK_SECS
    };
    let slow: Vec<Movement> = macros
        .into_iter()
        .filter(|long| {
            !micro
                .iter()
                .any(|short| short.strong && covers(long, short))
        })
        .collect();
    let mut all: Vec<Movement> = micro
        .into_iter()
        .filter(|short| short.strong || !slow.iter().any(|long| covers(long, short)))
        .collect();
    all.extend(slow);
    all.sort_by(|a, b| a.peak.total_cmp(&b.peak).then(a.kind.cmp(&b.kind)));
    all
}

/// What the pairing of one stretch needs to know.
pub(crate) struct Pairing<'a> {
    pub(crate) params: &'a DecodeParams,
    /// The long window's signal: it tells whether the face has returned.
    pub(crate) long: Option<&'a Series>,
    pub(crate) posture: Option<&'a Posture>,
}

impl Pairing<'_> {
    /// The expressions among the `movements` of one stretch, in time order.
    pub(crate) fn expressions(
        &self,
        movements: &[Movement],
        stretch: &Stretch,
        index: usize,
    ) -> Vec<Expression> {
        let mut found = Vec::new();
        let plan = self.explain(movements);
        let mut i = 0;
        while i < movements.len() {
            let until = plan[i];
            if until > i {
                found.push(whole(&movements[i], &movements[until], index));
            } else if movements[i].strong {
                let after = movements[i + 1..]
                    .iter()
                    .find(|m| m.strong)
                    .map(|m| m.begin);
                found.push(self.lone(&movements[i], after, stretch, index));
            }
            i = until + 1;
        }
        found
    }

    /// For each movement the last one of the expression it opens, itself where it
    /// stays alone: the cheapest explanation of the whole stretch. Pairing from the
    /// left instead would, after one return that was too faint to see, pair every
    /// later return with the next departure.
    fn explain(&self, movements: &[Movement]) -> Vec<usize> {
        let count = movements.len();
        let mut cost = vec![0.0; count + 1];
        let mut last = vec![0; count];
        for i in (0..count).rev() {
            let alone = if movements[i].strong { ALONE } else { 0.0 };
            (cost[i], last[i]) = (alone + cost[i + 1], i);
            let mut absorbed = 0.0;
            for j in i + 1..count.min(i + MOST_MOVEMENTS) {
                if let Some(pair) = self.pair_cost(&movements[i], &movements[j]) {
                    let total = pair + absorbed + cost[j + 1];
                    if total < cost[i] {
                        (cost[i], last[i]) = (total, j);
                    }
                }
                absorbed += absorbing_cost(&movements[i], &movements[j]);
            }
        }
        last
    }

    /// What it costs to call `back` the return from `away`; `None` when it cannot be.
    fn pair_cost(&self, away: &Movement, back: &Movement) -> Option<f64> {
        if !(away.strong || back.strong) || back.finish <= away.begin {
            return None;
        }
        let likeness = away.motion.zip(back.motion).map(|(a, b)| a.likeness(&b));
        let hold = match likeness {
            Some(l) if l <= OPPOSITE => self.params.directed_hold_secs,
            Some(l) if l >= SAME => return None,
            _ => self.params.hold_secs,
        };
        let held = (back.begin - away.finish).max(0.0);
        if held > hold || !self.returns(0.5 * (away.peak + back.peak), away, back) {
            return None;
        }
        let uneven = (away.height / back.height).ln().abs() / HEIGHT_FACTOR.ln();
        let weak = if away.strong && back.strong {
            0.0
        } else {
            WITH_A_WEAK_ONE
        };
        Some(held / hold + uneven + weak + self.rest_cost(away, back))
    }

    /// What it costs that the face is nearer to neutral between the two movements
    /// than before and after them: then they frame a rest, not an expression.
    fn rest_cost(&self, away: &Movement, back: &Movement) -> f64 {
        let distance = |at: f64| self.posture.and_then(|p| p.distance_at(at));
        let between = distance(0.5 * (away.peak + back.peak));
        let (before, after) = (distance(away.from), distance(back.to));
        match (between, before.zip(after)) {
            (Some(between), Some((before, after))) => {
                let around = 0.5 * (before + after);
                let contrast = (around - between) / (around + between).max(f64::MIN_POSITIVE);
                REST * contrast.max(0.0)
            }
            _ => 0.0,
        }
    }

    /// Whether a long window around `centre` sees the same face at both its ends.
    /// Only short expressions fit into it; of others it says nothing, so they pass.
    fn returns(&self, centre: f64, away: &Movement, back: &Movement) -> bool {
        let Some(long) = self.long else { return true };
        if back.finish - away.begin > long.span_secs {
            return true;
        }
        let base = long.light_quiet.median;
        let half = 0.5 * long.span_secs;
        // When its one end stands at the top of the movement.
        let displaced = [centre - half, centre + half]
            .into_iter()
            .filter_map(|at| long.light_at(at))
            .fold(f64::NAN, f64::max);
        match long.light_at(centre) {
            Some(now) if displaced.is_finite() => {
                now - base <= 0.6 * (displaced - base).max(long.light_quiet.sigma)
            }
            _ => true,
        }
    }

    /// A strong movement without its counterpart.
    fn lone(&self, m: &Movement, next: Option<f64>, stretch: &Stretch, index: usize) -> Expression {
        let (begin, finish) = (
            m.begin.max(stretch.start_secs),
            m.finish.min(stretch.end_secs),
        );
        // Too quick for the short window to show away and back apart.
        let brief = finish - begin;
        let both = m.kind == ExpressionKind::Micro
            && self
                .long
                .is_some_and(|long| long.light_at(m.peak).is_some())
            && brief > 0.0
            && brief <= self.params.longest_micro_secs
            && self.returns(m.peak, m, m);
        if both {
            return Expression {
                stretch: index,
                onset: begin,
                apex: m.peak,
                offset: finish,
                whole: true,
            };
        }
        let mean_half = self.params.macro_half_secs;
        let (before, after) = (begin - stretch.start_secs, stretch.end_secs - finish);
        if before < mean_half && after > before {
            // The stretch began within the expression: this is its end.
            return Expression {
                stretch: index,
                onset: stretch.start_secs,
                apex: stretch.start_secs,
                offset: finish.max(begin),
                whole: false,
            };
        }
        // Its return was not seen: before the stretch ended, where that is near;
        // else the source's own guess of half a mean expression after the apex.
        let open = if after <= self.params.hold_secs && next.is_none() {
            stretch.end_secs
        } else {
            finish.max(begin) + mean_half
        };
        let limit = next.unwrap_or(stretch.end_secs).min(stretch.end_secs);
        Expression {
            stretch: index,
            onset: begin,
            apex: finish.max(begin).min(limit),
            offset: open.min(limit).max(finish.max(begin).min(limit)),
            whole: false,
        }
    }
}

/// What it costs to take `inner` for a mere part of the expression `away` opened.
fn absorbing_cost(away: &Movement, inner: &Movement) -> f64 {
    let likeness = away.motion.zip(inner.motion).map(|(a, b)| a.likeness(&b));
    let later = inner.begin - away.finish > FOOT_SLACK_SECS;
    match likeness {
        _ if !inner.strong => 0.0,
        // The same departure once more: the face must have returned unseen.
        Some(l) if l >= SAME && later => ALONE + ABSORBED,
        _ => ABSORBED,
    }
}

fn whole(away: &Movement, back: &Movement, stretch: usize) -> Expression {
    let plateau = back.from - away.to;
    // Where the lobes touch, the windows straddle the apex evenly between them;
    // where they are apart, the face has arrived when the first one is over.
    let apex = if plateau > 0.1 {
        away.finish
    } else {
        0.5 * (away.to + back.from)
    };
    Expression {
        stretch,
        onset: away.begin,
        apex: apex.clamp(away.begin, back.finish),
        offset: back.finish,
        whole: true,
    }
}
