mod field;
mod scratch;
