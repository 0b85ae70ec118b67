//! The settings of a training on flow images.

use super::augment::Augmentation;
use crate::model::flow_classifier::Architecture;
use crate::model::flow_input::Scaling;
use crate::training::checkpoint::Settings;
use crate::training::optimizer::Rule;
use crate::training::schedule::Schedule;

/// Everything that decides the course of a training but its data and its seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    pub architecture: Architecture,
    pub epochs: u64,
    /// Full learning rate.
    pub rate: f64,
    pub schedule: Schedule,
    pub rule: Rule,
    /// Images an update; the last of an epoch may have fewer.
    pub batch: usize,
    pub scaling: Scaling,
    /// Share of the values that dropout leaves out.
    pub dropout: f64,
    /// Label smoothing, 0..1.
    pub smoothing: f64,
    /// Whether each class makes the same part of an epoch.
    pub balanced: bool,
    /// How the images are varied; asks for [`Scaling::Robust`], whose zero is rest.
    pub augmentation: Option<Augmentation>,
    /// Whether the trained network also looks at the mirrored image.
    pub mirror: bool,
    /// Networks from neighbouring seeds whose log-probabilities are averaged.
    pub members: u64,
}

impl Recipe {
    /// As the published network was trained and the reference repeated it, with ten
    /// times the rate and a fifth of the epochs (S1; measured to be better).
    #[must_use]
    pub fn reference(architecture: Architecture) -> Self {
        Self {
            architecture,
            epochs: 100,
            rate: 5e-4,
            schedule: Schedule::Constant,
            rule: Rule::Adam { weight_decay: 0.0 },
            batch: 256,
            scaling: Scaling::ZeroCentred,
            dropout: 0.5,
            smoothing: 0.0,
            balanced: false,
            augmentation: None,
            mirror: false,
            members: 1,
        }
    }

    /// For training on drawn motion and use on real motion: what an image's least and
    /// greatest value happen to be does not matter, and no small difference in framing
    /// or strength does.
    #[must_use]
    pub fn transfer(architecture: Architecture) -> Self {
        Self {
            epochs: 6,
            rate: 2e-3,
            schedule: Schedule::Cosine { warmup: 0 },
            rule: Rule::AdamW { weight_decay: 1e-2 },
            scaling: Scaling::Robust,
            smoothing: 0.05,
            balanced: true,
            augmentation: Some(Augmentation::default()),
            mirror: true,
            members: 3,
            ..Self::reference(architecture)
        }
    }

    /// In words, for checkpoints, reports and cards. The number of members is not
    /// among them: each is trained as if it were alone.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        let augmentation = match &self.augmentation {
            Some(augmentation) => augmentation.describe(),
            None => "none".to_owned(),
        };
        let mut settings = Settings::from(
            [
                ("network", self.architecture.network().to_owned()),
                ("epochs", self.epochs.to_string()),
                ("lr", self.rate.to_string()),
                ("schedule", self.schedule.describe()),
                ("optimizer", self.rule.describe()),
                ("batch", self.batch.to_string()),
                ("scaling", self.scaling.name().to_owned()),
                ("dropout", self.dropout.to_string()),
                ("smoothing", self.smoothing.to_string()),
                ("balanced", yes(self.balanced)),
                ("augmentation", augmentation),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        if let Architecture::StstNet(geometry) = self.architecture {
            settings.insert("geometry".to_owned(), geometry.name().to_owned());
        }
        settings
    }
}
