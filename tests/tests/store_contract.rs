//! What the store promises, on the embedded engine, and the same again on AWS's own DynamoDB Local where the environment
//! variable `DYNAMODB_LOCAL` names its endpoint, such as `http://127.0.0.1:8000`.

#[path = "store_contract/bench.rs"]
mod bench;
#[path = "store_contract/commits.rs"]
mod commits;
#[path = "store_contract/programs.rs"]
mod programs;
#[path = "store_contract/reads.rs"]
mod reads;
#[path = "store_contract/retries.rs"]
mod retries;

/// Each function is a test on the embedded engine, and one on DynamoDB Local.
macro_rules! contract {
    ($($module:ident: $($name:ident)*;)*) => {
        mod embedded {
            $($(#[tokio::test]
            async fn $name() {
                super::$module::$name(super::bench::Bench::embedded().await).await;
            })*)*
        }

        mod dynamodb_local {
            $($(#[tokio::test]
            async fn $name() {
                if let Some(bench) = super::bench::Bench::dynamodb_local().await {
                    super::$module::$name(bench).await;
                }
            })*)*
        }
    };
}

contract! {
    commits:
        a_table_made_twice_is_one_table_with_indexes_stream_and_ttl
        an_account_that_is_there_refuses_its_enrolment
        an_account_that_has_moved_refuses_and_shows_where_it_stands
        a_number_that_is_taken_refuses_its_entry
        a_purchase_is_recorded_once
        what_is_left_of_a_purchase_is_written_after_its_version_only
        a_refund_is_recorded_once
        a_request_is_carried_out_once
        a_person_is_made_once_changed_and_deleted_after_their_version_only
        identities_that_are_taken_are_named_by_their_places
        an_identity_is_unique_under_every_secret_in_use
        a_code_is_given_once
        a_shard_of_a_campaign_is_never_overdrawn
        notes_and_deletions_have_no_condition
        what_is_refused_in_part_is_not_written_at_all
        an_account_with_something_due_is_found_by_its_hour
    ;
    reads:
        what_was_committed_is_read_at_once
        a_range_has_both_its_ends_and_its_order_and_its_limit
        guesses_count_by_caller_kind_and_minute_and_vanish_later
        all_notes_of_a_member_are_deleted_and_nothing_else
    ;
    retries:
        every_passing_fault_is_waited_out_and_written_once
        a_commit_whose_answer_was_lost_is_ours
        a_commit_whose_answer_was_lost_is_ours_though_others_have_moved_on
        what_a_lost_answer_counted_is_not_counted_again
        the_same_items_written_by_somebody_else_are_not_ours
        what_never_passes_is_unavailable_and_not_written
        reads_wait_out_what_passes_and_no_more
        a_missing_table_is_an_error_at_once
    ;
    programs:
        versions_are_published_one_after_the_other
        a_publish_that_was_overtaken_writes_nothing
        a_publish_whose_answer_was_lost_is_ours
        a_program_that_nobody_published_is_not_there
        a_remembered_program_is_looked_up_beside_after_30_seconds_and_before_the_answer_after_50
        a_version_that_is_needed_once_is_loaded_once
    ;
}
