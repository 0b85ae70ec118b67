//! The sizes of a convolution, and what follows from them for its copies.

/// Results of so many places are unfolded.
const UNFOLDED: usize = 8;

/// Sizes of a convolution; square in nothing but name: `[height, width]` each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::nn) struct Sizes {
    pub(in crate::nn) batch: usize,
    pub(in crate::nn) channels: usize,
    pub(in crate::nn) filters: usize,
    /// Filters of a group see the channels of that group only.
    pub(in crate::nn) groups: usize,
    pub(in crate::nn) input: [usize; 2],
    pub(in crate::nn) kernel: [usize; 2],
    pub(in crate::nn) stride: [usize; 2],
    /// Zeros on each side.
    pub(in crate::nn) padding: [usize; 2],
}

impl Sizes {
    pub(in crate::nn) fn output(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let padded = self.input[axis] + 2 * self.padding[axis];
            (padded - self.kernel[axis]) / self.stride[axis] + 1
        })
    }

    /// Whether each place of the filter gets a copy of its own, as large as the result:
    /// that is, whether to unfold after all. So it is where most of a copy would lie
    /// between the rows, and there are filters enough to pay for it; in larger pictures
    /// the many copies leave the cache.
    pub(super) fn is_unfolded(&self) -> bool {
        let [height, width] = self.output();
        self.filters / self.groups >= 32 && height * width <= UNFOLDED
    }

    /// Rows and columns of the result and what the filter reaches beyond.
    fn reach(&self) -> [usize; 2] {
        let output = self.output();
        [0, 1].map(|axis| output[axis] + (self.kernel[axis] - 1) / self.stride[axis])
    }

    /// Rows and columns of a copy.
    pub(super) fn copy(&self) -> [usize; 2] {
        if self.is_unfolded() {
            self.output()
        } else {
            self.reach()
        }
    }

    /// Copies of a picture, down and across.
    pub(super) fn copies(&self) -> [usize; 2] {
        if self.is_unfolded() {
            self.kernel
        } else {
            [0, 1].map(|axis| self.stride[axis].min(self.kernel[axis]))
        }
    }

    pub(super) fn taps(&self) -> usize {
        self.channels / self.groups * self.kernel[0] * self.kernel[1]
    }

    pub(super) fn products(&self) -> usize {
        let [height, width] = self.output();
        self.batch * self.filters * height * width * self.taps()
    }
}
