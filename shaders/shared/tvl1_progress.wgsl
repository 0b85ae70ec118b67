// Where one pair stands: the block of inner iterations that was computed last.
struct Progress {
    // Number of the level, 0 the finest.
    level: u32,
    // Where the block began.
    warp: u32,
    outer: u32,
    inner: u32,
    // Its inner iterations.
    iterations: u32,
    // The half of the fields it read; it wrote the other.
    parity: u32,
    // 1: its warp is known to end with it.
    settled: u32,
    // 1: the flow is complete.
    finished: u32,
    // Dispatches used so far.
    steps: u32,
    // Where the pictures' pyramids begin.
    first: u32,
    second: u32,
    // What the second picture is multiplied with.
    gain: f32,
}
