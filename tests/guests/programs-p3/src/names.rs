//! What preview 1 calls an error, so that one story can be told of all guests.

use wasip3::filesystem::types::ErrorCode;

pub fn name(error: &ErrorCode) -> &'static str {
    match error {
        ErrorCode::Access => "ACCES",
        ErrorCode::BadDescriptor => "BADF",
        ErrorCode::Busy => "BUSY",
        ErrorCode::CrossDevice => "XDEV",
        ErrorCode::Exist => "EXIST",
        ErrorCode::FileTooLarge => "FBIG",
        ErrorCode::Invalid => "INVAL",
        ErrorCode::IsDirectory => "ISDIR",
        ErrorCode::Loop => "LOOP",
        ErrorCode::NameTooLong => "NAMETOOLONG",
        ErrorCode::NoEntry => "NOENT",
        ErrorCode::NotDirectory => "NOTDIR",
        ErrorCode::NotEmpty => "NOTEMPTY",
        ErrorCode::NotPermitted => "PERM",
        ErrorCode::Overflow => "OVERFLOW",
        ErrorCode::Quota => "DQUOT",
        ErrorCode::ReadOnly => "ROFS",
        ErrorCode::Unsupported => "NOTSUP",
        ErrorCode::Other(Some(what)) if what == "too many open files" => "MFILE",
        _ => "OTHER",
    }
}
