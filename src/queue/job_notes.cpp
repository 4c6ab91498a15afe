#include "queue/job_notes.hpp"

namespace quarry::queue {
namespace {

// The text is put together where the figures are: one statement, and no look beforehand.
#define QUARRY_NOTE(message, metadata, level, condition, known)                                      \
  "insert into job_logs (job_id, user_id, level, message, metadata, created_at)"                     \
  " select n.id, n.user_id, " level ", n.message, n.metadata, $2 from (select id, user_id, " message \
  " as message, " metadata " as metadata from scraping_jobs where id = $1" condition                 \
  ") n where not exists (select 1 from " known " l where l.message = n.message)"
// Of a job that has just begun there are few.
#define QUARRY_ALL_LINES "(select message from job_logs where job_id = $1)"
#define QUARRY_NEWEST_LINE "(select message from job_logs where job_id = $1 order by id desc limit 1)"

#define QUARRY_BEGAN "'attempt ' || attempt || ' begins'"
#define QUARRY_BEGAN_KEYS "('event', 'began', 'attempt', attempt)"

#define QUARRY_GOES_ON \
  "'attempt ' || attempt || ' goes on: ' || open_tasks || ' of its ' || total_items || ' items are to be done again'"
#define QUARRY_GOES_ON_KEYS "('event', 'goes_on', 'attempt', attempt, 'open_tasks', open_tasks, 'total_items', total_items)"

#define QUARRY_REASON                                                                               \
  "coalesce(substr(error_message, 1, 1000), case when status = 'cancelled' then 'it was cancelled'" \
  " when status = 'failed' then 'none of its items succeeded' else 'its last task has ended' end)"
#define QUARRY_ENDED                                                                                     \
  "'attempt ' || attempt || ' ended ' || status || ': ' || processed_items || ' of ' || total_items ||"  \
  " ' items done, ' || failed_items || ' failed, ' || results_count || ' results, ' || bytes_fetched ||" \
  " ' bytes (' || " QUARRY_REASON " || ')'"
#define QUARRY_ENDED_KEYS                                                                        \
  "('event', 'ended', 'attempt', attempt, 'status', status, 'processed_items', processed_items," \
  " 'failed_items', failed_items, 'total_items', total_items, 'results_count', results_count,"   \
  " 'bytes_fetched', bytes_fetched, 'reason', " QUARRY_REASON ")"
#define QUARRY_HAS_ENDED " and completed_at is not null"

using Note = sql::Command<void(JobId, Instant)>;

constexpr Note note_of_begin{
    "queue.note_job_began",
    sql::sqlite(QUARRY_NOTE(QUARRY_BEGAN, "json_object" QUARRY_BEGAN_KEYS, "'info'", "", QUARRY_ALL_LINES)),
    sql::postgres(
        QUARRY_NOTE(QUARRY_BEGAN, "jsonb_build_object" QUARRY_BEGAN_KEYS, "'info'::log_level", "", QUARRY_ALL_LINES))};
constexpr Note note_of_going_on{
    "queue.note_job_goes_on",
    sql::sqlite(QUARRY_NOTE(QUARRY_GOES_ON, "json_object" QUARRY_GOES_ON_KEYS, "'info'", "", QUARRY_NEWEST_LINE)),
    sql::postgres(
        QUARRY_NOTE(QUARRY_GOES_ON, "jsonb_build_object" QUARRY_GOES_ON_KEYS, "'info'::log_level", "", QUARRY_NEWEST_LINE))};
constexpr Note note_of_end{
    "queue.note_job_ended",
    sql::sqlite(QUARRY_NOTE(QUARRY_ENDED, "json_object" QUARRY_ENDED_KEYS, "'info'", QUARRY_HAS_ENDED, QUARRY_NEWEST_LINE)),
    sql::postgres(QUARRY_NOTE(QUARRY_ENDED, "jsonb_build_object" QUARRY_ENDED_KEYS, "'info'::log_level", QUARRY_HAS_ENDED,
                              QUARRY_NEWEST_LINE))};

}  // namespace

void note_job_began(Write& tx, JobId job, Instant now) { tx.run(note_of_begin, job, now); }
void note_job_goes_on(Write& tx, JobId job, Instant now) { tx.run(note_of_going_on, job, now); }
void note_job_ended(Write& tx, JobId job, Instant now) { tx.run(note_of_end, job, now); }

}  // namespace quarry::queue
