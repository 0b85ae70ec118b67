//! One eye: ball, iris, lids, lashes, open or shut.

use super::arithmetic::{hill, mix, mix3, noise, smoothstep};
use super::look::Look;
use super::skin::Rgb;

/// Distance of an eye's centre from the middle of the face, face units.
const CENTER_X: f32 = 0.5075;
/// Corners measured outward from the middle of the face.
const INNER: (f32, f32) = (0.292, 0.034);
const OUTER: (f32, f32) = (0.728, 0.012);
const UPPER_ARCH: f32 = 0.112;
const LOWER_ARCH: f32 = 0.068;
const IRIS: f32 = 0.100;
const PUPIL: f32 = 0.040;

/// The part of the face that an eye may change: |x| and y ranges in face units.
pub(super) const REACH: (f32, f32, f32, f32) = (0.22, 0.82, -0.26, 0.22);

/// The upper lid's margin, the lower lid's and the fold above, at a place `x`
/// measured outward, for lids shut by `shut` (0 open, 1 closed).
fn lids(x: f32, shut: f32) -> (f32, f32, f32, f32) {
    let t = (x - INNER.0) / (OUTER.0 - INNER.0);
    let inside = (4.0 * t * (1.0 - t)).max(0.0);
    // A full arch above, highest a little inward; a flatter one below, lowest outward.
    let upper_shape = inside * (1.62 - 0.62 * inside) * (1.06 - 0.12 * t);
    let lower_shape = inside * (1.35 - 0.35 * inside) * (0.88 + 0.24 * t);
    let base = mix(INNER.1, OUTER.1, t);
    let lower_open = base + LOWER_ARCH * lower_shape;
    let upper_open = base - UPPER_ARCH * upper_shape;
    // Shut, the margins meet low: the upper lid does nearly all of the way.
    let meet = base + 0.80 * LOWER_ARCH * lower_shape;
    let upper = mix(upper_open, meet, shut);
    let lower = mix(lower_open, meet, shut);
    let fold = upper_open - mix(0.030, 0.062, inside.min(1.0));
    (upper, lower, fold, t)
}

/// What an eye does at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct EyeState {
    /// 0 open .. 1 shut.
    pub(super) shut: f32,
    /// How far the ball's front stands from its place at rest beneath this point of
    /// the skin, face units: the gaze, less what an action unit moved the skin.
    pub(super) ball: (f32, f32),
}

/// y of the upper and the lower lid's margin at `x`, plain face.
#[must_use]
pub(super) fn margins(x: f32, shut: f32) -> (f32, f32) {
    let (upper, lower, ..) = lids(x.abs(), shut);
    (upper, lower)
}

/// How high the lids stand apart at `x` against the middle of the eye, 0..1.
#[must_use]
pub(super) fn opening(x: f32) -> f32 {
    let t = (x.abs() - INNER.0) / (OUTER.0 - INNER.0);
    (4.0 * t * (1.0 - t)).clamp(0.0, 1.0)
}

/// Whether `x` lies between the corners of an eye, lashes included.
#[must_use]
pub(super) fn is_along(x: f32) -> bool {
    (INNER.0 - 0.04..OUTER.0 + 0.05).contains(&x.abs())
}

/// Paints the eye over the skin. `x`, `y` in face units on either side, `blur` the
/// softness of an edge, `skin` the lit skin there.
#[must_use]
pub(super) fn paint(
    skin: Rgb,
    x: f32,
    y: f32,
    state: EyeState,
    blur: f32,
    look: &Look,
    seed: u64,
) -> Rgb {
    let shut = state.shut;
    let side = if x < 0.0 { -1.0 } else { 1.0 };
    let out = x * side;
    let (upper, lower, fold, t) = lids(out, shut);
    let along = smoothstep(-0.04, 0.05, t) * smoothstep(1.05, 0.95, t);
    let mut c = lid_skin(skin, look.crease, out, y, upper, fold, t, shut);

    // The ball, seen between the margins.
    let within = smoothstep(-0.015, 0.03, t) * smoothstep(1.01, 0.975, t);
    let gap = smoothstep(-blur, blur, y - upper) * smoothstep(-blur, blur, lower - y) * within;
    if gap > 0.0 {
        let front = (side * state.ball.0, state.ball.1);
        c = mix3(
            c,
            ball(out, y, front, side, upper, lower, t, look, seed),
            gap,
        );
    }
    // The lower margin: a thin moist edge, a soft line of lashes under it.
    let under = y - lower;
    let rim = hill(0.0, (under - 0.006) / 0.009) * along * (1.0 - 0.5 * shut);
    c = mix3(
        c,
        [0.56, 0.33, 0.27].map(|v: f32| v * (0.35 + 0.65 * look.crease)),
        0.40 * rim,
    );
    let low_lash = hill(0.0, (under - 0.019) / 0.012) * along * smoothstep(0.15, 0.8, t);
    c = mix3(
        c,
        [0.14, 0.075, 0.055].map(|v: f32| v * look.crease),
        0.38 * look.lashes * low_lash,
    );
    // The upper margin: dark, thicker outward, with a lash wing at the outer corner.
    // Shut, both rows of lashes lie upon each other.
    let thick = look.lashes * mix(0.013, 0.023, smoothstep(0.1, 0.9, t)) * (1.0 + 1.2 * shut);
    let over = y - upper + 0.35 * thick;
    let soft = blur + 0.35 * thick * shut;
    let line = smoothstep(thick + soft, thick - soft, over.abs() * 1.25) * along;
    c = mix3(c, [0.030, 0.019, 0.016], 0.90 * line);
    lashes(c, look.lashes, out, y, upper, t, shut)
}

/// The skin of the upper lid between fold and margin: stretched thin as it comes down.
#[allow(clippy::too_many_arguments, reason = "the lid's own coordinates")]
fn lid_skin(skin: Rgb, tone: f32, x: f32, y: f32, upper: f32, fold: f32, t: f32, shut: f32) -> Rgb {
    let deep = |c: Rgb| [c[0] * tone, c[1] * tone, c[2] * tone];
    let along = smoothstep(-0.10, 0.12, t) * smoothstep(1.12, 0.90, t);
    let height = (upper - fold).max(0.01);
    let down = ((y - fold) / height).clamp(0.0, 1.0);
    let on_lid = smoothstep(0.0, 0.25, down) * smoothstep(upper + 0.01, upper - 0.005, y) * along;
    // Rounded over the ball: lightest in the middle, darker to the margin.
    let round = 1.0 + shut * on_lid * (0.16 * hill((down - 0.45) / 0.28, (t - 0.42) / 0.25) - 0.05);
    let tint = mix(1.0, 0.94, on_lid);
    let mut c = [
        skin[0] * round * mix(1.0, 0.97, on_lid),
        skin[1] * round * tint,
        skin[2] * round * tint,
    ];
    let crease = hill(0.0, (y - fold) / 0.0105) * along * mix(0.46, 0.20, shut);
    let soft = hill(0.0, (y - fold + 0.012) / 0.035) * along * mix(0.16, 0.08, shut);
    c = mix3(c, deep([0.17, 0.070, 0.045]), crease);
    c = mix3(c, deep([0.24, 0.110, 0.075]), soft);
    // A soft pouch under the eye.
    let pouch = 0.10 * hill((y - 0.155) / 0.028, (x - 0.49) / 0.17);
    mix3(c, deep([0.30, 0.14, 0.10]), pouch)
}

#[allow(clippy::too_many_arguments, reason = "the lid's own coordinates")]
fn ball(
    x: f32,
    y: f32,
    front: (f32, f32),
    side: f32,
    upper: f32,
    lower: f32,
    t: f32,
    look: &Look,
    seed: u64,
) -> Rgb {
    let (dx, dy) = (x - CENTER_X - front.0, y + 0.010 - front.1);
    let r = (dx * dx + dy * dy).sqrt();
    // White, rounded: darker to both corners, pinkish inside.
    let round = 1.0 - 0.45 * smoothstep(0.06, 0.24, (x - CENTER_X).abs());
    let mut c: Rgb = [0.600 * round, 0.562 * round, 0.540 * round];
    let pink = smoothstep(0.17, 0.02, t);
    c = mix3(c, [0.47, 0.22, 0.19], 0.85 * pink);
    // Iris: fibres towards the pupil, a dark ring outside, lighter opposite the light.
    let (ux, uy) = (dx / r.max(0.004), dy / r.max(0.004));
    let fibre = noise(ux * 9.0 + 40.0, uy * 9.0 + r * 30.0, seed ^ 31)
        + 0.6 * noise(ux * 19.0, uy * 19.0 + r * 12.0, seed ^ 32);
    let glow = 0.85 + 0.55 * hill((dx * side - 0.03) / 0.06, (dy - 0.05) / 0.05) + 0.22 * fibre;
    let inner_ring = hill(0.0, (r - 0.050) / 0.012);
    let mut iris: Rgb = look.iris.map(|v| v * glow);
    iris = mix3(iris, look.iris_ring, 0.55 * inner_ring);
    iris = mix3(
        iris,
        [0.018, 0.016, 0.016],
        smoothstep(IRIS - 0.026, IRIS, r) * 0.85,
    );
    iris = mix3(
        iris,
        [0.006, 0.005, 0.005],
        smoothstep(PUPIL + 0.006, PUPIL - 0.006, r),
    );
    c = mix3(c, iris, smoothstep(IRIS + 0.008, IRIS - 0.008, r));
    // The upper lid's shadow.
    let shade = 0.42 + 0.58 * smoothstep(0.0, 0.085, y - upper);
    let low = 0.86 + 0.14 * smoothstep(0.0, 0.03, lower - y);
    for v in &mut c {
        *v *= shade * low;
    }
    // The window mirrored in the cornea: on the light's side in both eyes.
    let (hx, hy) = (dx * side + 0.034, dy + 0.036);
    let window = smoothstep(
        1.25,
        0.55,
        (hx / 0.024) * (hx / 0.024) + (hy / 0.020) * (hy / 0.020),
    );
    let spark = 0.25 * hill((dx * side - 0.045) / 0.016, (dy - 0.045) / 0.012);
    mix3(c, [0.96, 0.97, 1.0], (0.92 * window + spark).min(1.0))
}

/// Short strokes from the upper margin: up and outward when open, down when shut.
fn lashes(c: Rgb, strength: f32, x: f32, y: f32, upper: f32, t: f32, shut: f32) -> Rgb {
    if !(0.02..1.06).contains(&t) {
        return c;
    }
    // Seen from their tips half way, hence short.
    let direction = mix(-1.0, 1.0, shut);
    let length = mix(0.022, 0.050, smoothstep(0.1, 0.95, t)) * (0.15 + 0.85 * direction.abs());
    let along = if direction < 0.0 {
        upper - y
    } else {
        y - upper
    };
    if along < -0.01 || along > length {
        return c;
    }
    // A stroke leans outward as it leaves the lid.
    let root = x - 0.55 * along * (t - 0.25);
    let comb = noise(root * 62.0, 3.0, 77);
    let stroke = smoothstep(0.05, 0.45, comb) * smoothstep(length, 0.2 * length, along);
    mix3(
        c,
        [0.030, 0.019, 0.016],
        (0.62 * strength * stroke).min(0.9),
    )
}
