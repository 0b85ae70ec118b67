//! Ending a training early: when its loss on subjects that are not learnt from has not
//! become better for some epochs, and with the weights of the epoch that was best there.

use crate::nn::parameters::Tensors;

/// The epoch with the least loss on the subjects held out.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// Counted from 1.
    pub epoch: u64,
    pub loss: f64,
    pub weights: Tensors,
}

/// How long a training waits for a better epoch, and the best so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Patience {
    epochs: Option<u64>,
    best: Option<Best>,
}

impl Patience {
    /// Waits `epochs` epochs, `None` until the end; `best` is a resumed training's.
    #[must_use]
    pub fn new(epochs: Option<u64>, best: Option<Best>) -> Self {
        Self { epochs, best }
    }

    /// Whether anybody asks for the loss on the subjects held out.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.epochs.is_some()
    }

    /// Whether a training ends that has done so many epochs.
    #[must_use]
    pub fn is_over(&self, done: u64) -> bool {
        match (self.epochs, &self.best) {
            (Some(epochs), Some(best)) => done >= best.epoch.saturating_add(epochs),
            _ => false,
        }
    }

    /// An epoch's loss and weights; of equal losses the earlier epoch stays the best.
    /// One that is no number is never the best.
    pub fn look(&mut self, epoch: u64, loss: f64, weights: &Tensors) {
        if loss.is_finite() && self.best.as_ref().is_none_or(|best| loss < best.loss) {
            let weights = weights.clone();
            self.best = Some(Best {
                epoch,
                loss,
                weights,
            });
        }
    }

    #[must_use]
    pub fn best(&self) -> Option<&Best> {
        self.best.as_ref()
    }

    /// The weights of the best epoch, or the last ones where nobody looked.
    #[must_use]
    pub fn weights(self, last: Tensors) -> Tensors {
        self.best.map_or(last, |best| best.weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_ends_when_nothing_became_better_for_long_enough() {
        let mut patience = Patience::new(Some(2), None);
        let mut ended = None;
        for (epoch, loss) in (1..).zip([0.9, 0.5, 0.7, 0.5, 0.1]) {
            patience.look(epoch, loss, &Tensors::new());
            if patience.is_over(epoch) {
                ended = Some(epoch);
                break;
            }
        }
        assert_eq!(ended, Some(4));
        assert_eq!(patience.best().map(|best| best.epoch), Some(2));
        let mut diverged = Patience::new(Some(2), None);
        diverged.look(1, f64::NAN, &Tensors::new());
        assert_eq!(diverged.best(), None);
        assert!(!Patience::new(None, patience.best().cloned()).is_over(9));
    }
}
