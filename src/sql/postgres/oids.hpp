#pragma once
/// The built-in types of PostgreSQL that the driver knows, by their object ids: `select oid, typname from pg_type`. They are
/// fixed for ever; types made by a user (enums, citext) have ids from `first_dynamic` on, which differ between databases.

#include <string>

namespace quarry::sql::postgres_driver::oid {

using Type = unsigned int;  ///< libpq's `Oid`

inline constexpr Type inferred = 0;  ///< the server finds the type from the statement
inline constexpr Type boolean = 16;
inline constexpr Type bytea = 17;
inline constexpr Type single_char = 18;
inline constexpr Type name = 19;
inline constexpr Type int8 = 20;
inline constexpr Type int2 = 21;
inline constexpr Type int4 = 23;
inline constexpr Type text = 25;
inline constexpr Type oid = 26;
inline constexpr Type json = 114;
inline constexpr Type xml = 142;
inline constexpr Type float4 = 700;
inline constexpr Type float8 = 701;
inline constexpr Type unknown = 705;
inline constexpr Type boolean_array = 1000;
inline constexpr Type bytea_array = 1001;
inline constexpr Type name_array = 1003;
inline constexpr Type int2_array = 1005;
inline constexpr Type int4_array = 1007;
inline constexpr Type text_array = 1009;
inline constexpr Type bpchar_array = 1014;
inline constexpr Type varchar_array = 1015;
inline constexpr Type int8_array = 1016;
inline constexpr Type float8_array = 1022;
inline constexpr Type bpchar = 1042;
inline constexpr Type varchar = 1043;
inline constexpr Type timestamp = 1114;
inline constexpr Type timestamptz = 1184;
inline constexpr Type timestamptz_array = 1185;
inline constexpr Type cstring = 2275;
inline constexpr Type uuid = 2950;
inline constexpr Type uuid_array = 2951;
inline constexpr Type jsonb = 3802;
inline constexpr Type first_dynamic = 16384;

/// For messages: `numeric`, or `type 16422` for what has no name here.
std::string name_of(Type type);

}  // namespace quarry::sql::postgres_driver::oid
