#[test] fn t(){}
mod synthetic;
