//! METHOD URL [HEADERS [BODY [HEADERS_ROOM [BODY_ROOM]]]]

#[link(wasm_import_module = "wasi:http/requests")]
unsafe extern "C" {
    fn http_request(
        method: u32,
        url: *const u8,
        url_len: usize,
        headers: *const u8,
        headers_len: usize,
        body: *const u8,
        body_len: usize,
        answer_headers: *mut u8,
        answer_headers_len: *mut u32,
        answer_body: *mut u8,
        answer_body_len: *mut u32,
        status: *mut u32,
    ) -> u32;
}

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |at: usize| arguments.get(at).map_or("", String::as_str);
    let room = |at: usize| argument(at).parse().unwrap_or(64 << 10);
    let method = METHODS.iter().position(|method| *method == argument(0)).unwrap_or(7) as u32;
    let (url, headers, body) = (argument(1), argument(2), argument(3));
    let (mut answer_headers, mut answer_body) = (vec![0_u8; room(4)], vec![0_u8; room(5)]);
    let (mut headers_len, mut body_len) = (answer_headers.len() as u32, answer_body.len() as u32);
    let mut status = 0;
    let result = unsafe {
        http_request(
            method,
            url.as_ptr(),
            url.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            answer_headers.as_mut_ptr(),
            &mut headers_len,
            answer_body.as_mut_ptr(),
            &mut body_len,
            &mut status,
        )
    };
    println!("result {result}, status {status}");
    if result == 0 {
        println!("{}", String::from_utf8_lossy(&answer_headers[..headers_len as usize]));
        println!();
        print!("{}", String::from_utf8_lossy(&answer_body[..body_len as usize]));
    }
}
