//! UAMRN's own: how unsure it is, and which magnified picture looks at which.

use super::tensors::{pair, values};
use crate::base::Plane;
use crate::media::synthetic::dice::Dice;
use crate::model::expression_network::{Expression, ExpressionReader, Network};
use crate::model::uamrn::{self, Opinion, Uamrn};

/// Passes with dropout behind one γ.
pub const PASSES: u64 = 20;

/// What UAMRN tells of its sequence of magnified pictures besides.
#[derive(Debug, Clone, PartialEq)]
pub struct MagnifiedLook {
    /// How unsure it is (S3): squared logits, the mean over units and classes, above 0.
    pub gamma: f64,
    /// How many times each picture of the sequence is magnified (α), in order.
    pub factors: Vec<f32>,
    /// Of each block, of each head: row by row the picture that looks, column by column
    /// the one looked at, 0..1. With several members that of the first. Empty where it is no
    /// longer kept.
    pub attention: Vec<Vec<Plane>>,
}

/// `None` of other networks than UAMRN.
pub(super) fn magnified(
    reader: &ExpressionReader,
    expression: Expression,
    dropout: f64,
) -> Result<Option<MagnifiedLook>, String> {
    let members = reader.members().iter();
    let members: Vec<&Uamrn> = members
        .filter_map(|member| match member {
            Network::Uamrn(network) => Some(&**network),
            _ => None,
        })
        .collect();
    let Some(first) = members.first() else {
        return Ok(None);
    };
    let [onset, apex] = pair(reader.architecture, expression, reader.device())?;
    let mut opinions: Vec<Opinion> = Vec::new();
    let mut attention = Vec::new();
    for (number, member) in (0..).zip(&members) {
        let vectors = member.vectors(onset.clone(), apex.clone());
        if number == 0 {
            for matrices in member.attention(vectors.clone()) {
                let [_, heads, size, _] = matrices.dims();
                let values = values(matrices)?;
                let planes = values.chunks_exact(size * size).take(heads);
                let plane = |values: &[f32]| Plane::from_vec(size, size, values.to_vec());
                attention.push(planes.map(plane).collect());
            }
        }
        for pass in 0..PASSES {
            let mut dice = Dice::of("second look", "dropout", number * PASSES + pass);
            let kept = 1.0 / (1.0 - dropout);
            let mut factor = || {
                if dice.uniform() < dropout {
                    0.0
                } else {
                    kept as f32
                }
            };
            let draw = |count: usize| (0..count).map(|_| factor()).collect();
            let kept = member.options().kept(1, reader.device().handle(), draw);
            opinions.push(member.judged(vectors.clone(), Some(&kept)));
        }
    }
    let gamma = values(uamrn::uncertainty(&opinions))?;
    Ok(Some(MagnifiedLook {
        gamma: gamma.first().map_or(0.0, |&gamma| f64::from(gamma)),
        factors: uamrn::factors(first.options().frames),
        attention,
    }))
}
