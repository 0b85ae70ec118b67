//! What UAMRN's training is judged by (S3): its uncertainty γ, and the cross-entropy that
//! γ weighs.

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;

use super::Opinion;

/// γ of each sample out of passes with different dropout:
/// E\[ȳ²\] − E\[ȳ\]² + E\[σ²\], as a mean of squares off the mean, which cannot come out
/// below 0; the mean over the classes. ȳ and not a drawn logit, in which σ² would be
/// counted twice.
///
/// # Shapes
/// - result: `[batch]`, above 0, squared logits
///
/// # Panics
/// When there is no opinion.
#[must_use]
pub fn uncertainty(opinions: &[Opinion]) -> Tensor<1> {
    let stacked = |part: fn(&Opinion) -> Tensor<2>| -> Tensor<3> {
        Tensor::stack(opinions.iter().map(part).collect(), 0)
    };
    let means = stacked(|opinion| opinion.mean.clone());
    let off = means.clone() - means.mean_dim(0);
    let disagreement = (off.clone() * off).mean_dim(0);
    let noise = stacked(|opinion| opinion.variance.clone()).mean_dim(0);
    let gamma = (disagreement + noise).mean_dim(2);
    let [_, batch, _] = gamma.dims();
    gamma.reshape([batch])
}

/// The samples' weights in a loss: γ without gradient, over its mean in the batch.
///
/// # Shapes
/// - `uncertainty`, result: `[batch]`; the result is 1 in the mean
#[must_use]
pub fn weights(uncertainty: Tensor<1>) -> Tensor<1> {
    let gamma = uncertainty.detach();
    gamma.clone() / gamma.mean()
}

/// −ln of the mean probability of the right class over drawn logits, for each sample.
///
/// # Shapes
/// - `drawn`: `[batch, class]` each, by [`Opinion::drawn`]; at least one
/// - `targets`: `[batch, class]`, 1 for the right class and 0 for the others
/// - result: `[batch]`, not below 0
///
/// # Panics
/// When nothing is drawn.
#[must_use]
pub fn cross_entropies(drawn: Vec<Tensor<2>>, targets: Tensor<2>) -> Tensor<1> {
    let count = drawn.len() as f64;
    let log = |logits: Tensor<2>| (log_softmax(logits, 1) * targets.clone()).sum_dim(1);
    let logs: Tensor<2> = Tensor::cat(drawn.into_iter().map(log).collect(), 1);
    // The greatest is taken out so that not all exponentials can become 0.
    let greatest = logs.clone().detach().max_dim(1);
    let sum = (logs - greatest.clone()).exp().sum_dim(1);
    let log_mean = sum.log() + greatest - count.ln();
    let [batch, _] = log_mean.dims();
    log_mean.neg().reshape([batch])
}

/// (1/N)·Σ weight·cross-entropy: S3's loss.
///
/// # Shapes
/// - `cross_entropies`: `[batch]`, by [`cross_entropies`]
/// - `weights`: `[batch]`, by [`weights`]; ones give the plain loss that S3 calls
///   deterministic
/// - result: `[1]`
#[must_use]
pub fn loss(cross_entropies: Tensor<1>, weights: Tensor<1>) -> Tensor<1> {
    (cross_entropies * weights).mean()
}
