// Where a pixel of a stack of planes lies: plane after plane, each row by row.
fn plane_index(size: vec2<u32>, plane: u32, pixel: vec2<u32>) -> u32 {
    return (plane * size.y + pixel.y) * size.x + pixel.x;
}
