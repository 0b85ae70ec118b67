//! Where the action-unit network looks at one moment: what moved within the last
//! moments before a frame, as the bars read it, and which places of the face speak for
//! one unit. On a thread of its own, asked for what is on the screen and only while
//! somebody looks; so is its optical flow, which in everybody's pool would keep the analysis
//! from its cores.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::SessionError;
use super::recognising::{BACK_SECS, QUICK_WIDEST};
use crate::base::{Latest, Rect, Timestamp};
use crate::explain::units::Method;
use crate::face::Landmarks;
use crate::facs::ActionUnit;
use crate::media::Frame;
use crate::motion::tvl1::Tvl1Preset;
use crate::nn::NnDevice;
use crate::recognition::{Attention, FacePicture, FaceReader, MotionMeter};

/// A face that has just come has a shorter past, but no shorter one than this, seconds.
const LEAST_BACK_SECS: f64 = 0.1;
/// A frame is another one if its time is further off, seconds.
const SAME_SECS: f64 = 1e-3;

/// A frame's face, as it was found.
#[derive(Debug, Clone)]
pub struct SeenFace {
    pub timestamp: Timestamp,
    /// Image pixels, as the landmarks.
    pub rect: Rect,
    pub landmarks: Landmarks,
}

/// What is asked about a moment; the pictures are fetched for it.
#[derive(Debug, Clone)]
pub struct MomentWish {
    pub unit: ActionUnit,
    pub now: SeenFace,
    /// One of these is where the motion begins, the first the likeliest
    /// ([`MomentWish::backwards`]).
    pub before: Vec<SeenFace>,
    pub flow: Tvl1Preset,
    /// What the recording was read with; `None` for the shipped weights.
    pub weights: Option<PathBuf>,
    /// Of that file.
    pub sha256: String,
}

impl MomentWish {
    /// How well a face `secs` before the moment begins its motion, the least first;
    /// `None` for one that is too near or too far.
    #[must_use]
    pub fn backwards(secs: f64) -> Option<f64> {
        (LEAST_BACK_SECS..=Self::REACH_SECS)
            .contains(&secs)
            .then(|| (secs - BACK_SECS).abs())
    }

    /// Frames that lie further back, seconds, are not needed.
    pub const REACH_SECS: f64 = 0.8;

    /// With the pictures, where they are among `frames`.
    #[must_use]
    pub fn with(self: Box<Self>, generation: u64, frames: &[Frame]) -> MomentRequest {
        let at = |t: Timestamp| {
            let same = |f: &&Frame| f.timestamp.secs_since(t).abs() <= SAME_SECS;
            frames.iter().rev().find(same).cloned()
        };
        let mut before = self.before.iter().enumerate();
        let first = before.find_map(|(face, seen)| {
            Some(First {
                face,
                frame: at(seen.timestamp)?,
            })
        });
        MomentRequest {
            generation,
            pictures: first.zip(at(self.now.timestamp)),
            wish: self,
        }
    }
}

/// A wish with its pictures.
#[derive(Debug, Clone)]
pub struct MomentRequest {
    generation: u64,
    /// None where they are gone.
    pictures: Option<(First, Frame)>,
    wish: Box<MomentWish>,
}

impl MomentRequest {
    /// The face whose framing it is.
    fn framed(&self) -> &SeenFace {
        let first = self.pictures.as_ref();
        first.map_or(&self.wish.now, |(first, _)| &self.wish.before[first.face])
    }

    fn back_secs(&self) -> f64 {
        let now = self.wish.now.timestamp;
        now.secs_since(self.framed().timestamp)
    }
}

/// The frame in which the motion begins.
#[derive(Debug, Clone)]
struct First {
    /// The place in [`MomentWish::before`] of its face.
    face: usize,
    frame: Frame,
}

/// Where the network looked at one moment.
#[derive(Debug, Clone)]
pub struct MomentAttention {
    /// Of the request: what was found in another recording is not shown.
    pub generation: u64,
    /// The moment's.
    pub timestamp: Timestamp,
    /// Where the framing lies: of the frame in which the motion began.
    pub landmarks: Landmarks,
    /// How long before the moment the motion began, seconds.
    pub back_secs: f64,
    /// How long the network looked, seconds: so much later the answer comes.
    pub took_secs: f64,
    /// Or why there is none, for the person.
    pub said: Result<Attention, String>,
}

/// The thread "attention"; dropping it ends the thread.
pub struct MomentAttentionWorker {
    requests: Latest<MomentRequest>,
    ready: Latest<MomentAttention>,
    bell: Sender<()>,
}

impl MomentAttentionWorker {
    /// `wake` is called after every result.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(wake: impl Fn() + Send + 'static) -> Result<Self, SessionError> {
        let (requests, ready) = (Latest::default(), Latest::default());
        let (bell, rung) = bounded(1);
        let (inbox, outbox) = (Latest::clone(&requests), Latest::clone(&ready));
        let looker = Looker::new()?;
        std::thread::Builder::new()
            .name("attention".into())
            .spawn(move || serve(looker, &rung, &inbox, &outbox, &wake))
            .map_err(SessionError::Thread)?;
        Ok(Self {
            requests,
            ready,
            bell,
        })
    }

    /// The newest request wins.
    pub fn request(&self, request: MomentRequest) {
        self.requests.put(request);
        // A bell that already rings is enough.
        let _ = self.bell.try_send(());
    }

    #[must_use]
    pub fn take(&self) -> Option<MomentAttention> {
        self.ready.take()
    }
}

fn serve(
    mut looker: Looker,
    rung: &Receiver<()>,
    inbox: &Latest<MomentRequest>,
    outbox: &Latest<MomentAttention>,
    wake: &impl Fn(),
) {
    let mut last = None;
    while rung.recv().is_ok() {
        let Some(request) = inbox.take() else {
            continue;
        };
        // Pictures are asked for again whenever anything about them changes.
        let now = request.wish.now.timestamp;
        let key = (request.generation, now, request.wish.unit);
        if last == Some(key) {
            continue;
        }
        last = Some(key);
        let started = Instant::now();
        let said = catch_unwind(AssertUnwindSafe(|| looker.look(&request)));
        let said = said.unwrap_or_else(|_| {
            Err("the network stopped by an internal error; please report this".to_owned())
        });
        let took = started.elapsed();
        log::debug!("attention of a moment: {:.0} ms", 1e3 * took.as_secs_f64());
        outbox.put(MomentAttention {
            generation: request.generation,
            timestamp: now,
            landmarks: request.framed().landmarks.clone(),
            back_secs: request.back_secs(),
            took_secs: took.as_secs_f64(),
            said,
        });
        wake();
        // As long as it worked: the analysis of a camera needs what there is.
        std::thread::sleep(took);
    }
}

/// What is needed to look.
struct Looker {
    network: Network,
    /// Where the flow is computed: on one thread, apart from the analysis.
    flow: ThreadPool,
}

impl Looker {
    /// # Errors
    /// When the system refuses another thread.
    fn new() -> Result<Self, SessionError> {
        let flow = ThreadPoolBuilder::new()
            .num_threads(1)
            .thread_name(|_| "attention flow".to_owned())
            .build();
        Ok(Self {
            network: Network::default(),
            flow: flow.map_err(|e| SessionError::Thread(std::io::Error::other(e)))?,
        })
    }

    fn look(&mut self, request: &MomentRequest) -> Result<Attention, String> {
        let wish = &request.wish;
        let reader = (self.network).reader(wish.weights.as_deref(), &wish.sha256)?;
        if reader.weights().1 != wish.sha256 {
            return Err("the network's weights are no longer those it was read with".to_owned());
        }
        let (first, last) = (request.pictures.as_ref())
            .ok_or("the pictures just before this one are not at hand")?;
        let face = |frame: &Frame, seen: &SeenFace| {
            FacePicture::of(&frame.picture, seen.rect, seen.landmarks.clone())
        };
        let first = face(&first.frame, request.framed());
        let last = face(last, &wish.now);
        let meter = MotionMeter::new(wish.flow.params()).at_most(QUICK_WIDEST);
        let motion = self.flow.install(|| meter.measure(&first, &last));
        let motion = motion.map_err(|e| e.to_string())?;
        let units = reader.units().iter();
        let at = units.enumerate().find(|(_, unit)| **unit == wish.unit);
        let (at, _) = at.ok_or("the network does not know this unit")?;
        let map = reader.attention_for(&motion, at, Method::default());
        Ok(Attention {
            unit: wish.unit,
            map: map.map_err(|e| e.to_string())?.map,
            framing: motion.framing,
        })
    }
}

/// The network, once it was asked for.
#[derive(Default)]
struct Network {
    /// With the file it is of.
    reader: Option<(Option<PathBuf>, FaceReader)>,
}

impl Network {
    /// A file may have been written anew since it was read.
    fn reader(&mut self, weights: Option<&Path>, sha256: &str) -> Result<&FaceReader, String> {
        let same = |(path, reader): &(Option<PathBuf>, FaceReader)| {
            path.as_deref() == weights && reader.weights().1 == sha256
        };
        let reader = match self.reader.take().filter(same) {
            Some(known) => known,
            None => {
                let reader = FaceReader::load(weights, &NnDevice::flex());
                let path = weights.map(Path::to_owned);
                (path, reader.map_err(|e| e.to_string())?)
            }
        };
        Ok(&self.reader.insert(reader).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flow_of_a_moment_has_one_thread_that_nobody_else_works_on() {
        let looker = Looker::new().unwrap();
        let (name, threads) = looker.flow.install(|| {
            let name = std::thread::current().name().map(str::to_owned);
            (name, rayon::current_num_threads())
        });
        assert_eq!((name.as_deref(), threads), (Some("attention flow"), 1));
    }
}
