//! Greets everybody in a file.
const std = @import("std");

const greeting_flag = "--greeting=";

pub fn main(init: std.process.Init) !void {
    const io = init.io;
    const gpa = init.gpa;

    var greeting: []const u8 = "Hello";
    var arguments = try init.minimal.args.iterateAllocator(gpa);
    defer arguments.deinit();
    while (arguments.next()) |argument| {
        if (std.mem.startsWith(u8, argument, greeting_flag)) greeting = argument[greeting_flag.len..];
    }

    // A directory the program was granted: the one that holds /in/names.txt.
    const in = (init.preopens.get("/in") orelse return error.NoNames).dir;
    const text = try in.readFileAlloc(io, "names.txt", gpa, .limited(1 << 20));
    defer gpa.free(text);

    var buffer: [4096]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(io, &buffer);
    var names = std.mem.tokenizeAny(u8, text, "\r\n");
    while (names.next()) |name| try stdout.interface.print("{s}, {s}!\n", .{ greeting, name });
    try stdout.interface.flush();
}
