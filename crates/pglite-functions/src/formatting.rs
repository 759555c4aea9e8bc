//! to_char, to_date, to_timestamp, to_number: templates of dates and numbers.

pub mod date_in;
pub mod date_out;
pub mod number;
pub mod template;
