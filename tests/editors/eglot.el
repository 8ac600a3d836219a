;;; eglot.el --- Cachewise in a real Emacs, through eglot  -*- lexical-binding: t -*-

;; Run by test_emacs.py as `emacs --batch -Q -l CONFIGURATION -l eglot.el`, where CONFIGURATION is
;; the block of docs/editors/emacs.md. The requests are files in the folder CACHEWISE_REQUESTS.

(require 'ert)
(require 'eglot)
(require 'flymake)
(require 'imenu)
(require 'cl-lib)

(setq eglot-sync-connect 20
      eglot-autoshutdown t
      eglot-confirm-server-edits nil
      make-backup-files nil)

(defun cw-until (what check &optional seconds)
  "Wait until CHECK gives something, and return it; WHAT says what for."
  (let ((end (+ (float-time) (or seconds 20))) value)
    (while (not (setq value (funcall check)))
      (when (> (float-time) end) (error "Not in time: %s" what))
      (accept-process-output nil 0.05))
    value))

(defmacro cw-with (name &rest body)
  "Visit the request NAME, with eglot attached, and run BODY."
  (declare (indent 1))
  `(with-current-buffer
       (find-file-noselect (expand-file-name ,name (getenv "CACHEWISE_REQUESTS")))
     (unwind-protect
         (progn
           ;; Batch mode has no command loop, whose hooks would start eglot and flymake.
           (apply #'eglot (eglot--guess-contact))
           (cw-until "eglot is attached" #'eglot-managed-p)
           (flymake-mode 1)
           ,@body)
       (set-buffer-modified-p nil)
       (kill-buffer))))

(defun cw-findings ()
  "The findings of flymake, after a fresh look."
  (flymake-start)
  (flymake-diagnostics))

(defun cw-error ()
  "Wait for the one error of the buffer, and return it."
  (cw-until "an error"
            (lambda ()
              (cl-find-if (lambda (d) (string-match-p "2h" (flymake-diagnostic-text d)))
                          (cw-findings)))))

(defun cw-apply (title)
  "Apply the code action at point whose title contains TITLE."
  (let ((action (cl-find-if
                 (lambda (a) (string-match-p (regexp-quote title) (plist-get a :title)))
                 (append (eglot-code-actions (point) (point)) nil))))
    (should action)
    (eglot-execute (eglot-current-server) action)))

(ert-deftest cachewise-hints-and-hover ()
  (cw-with "good.json"
    (search-forward "cache_control")
    (let ((hover (jsonrpc-request (eglot-current-server) :textDocument/hover
                                  (eglot--TextDocumentPositionParams))))
      (should (string-match-p "tok" (plist-get (plist-get hover :contents) :value))))
    (eglot-inlay-hints-mode 1)
    (cw-until "a hint"
              (lambda ()
                ;; Redisplay asks for hints; in batch mode there is none.
                (eglot--update-hints-1 (point-min) (point-max))
                (accept-process-output nil 0.2)
                (cl-some (lambda (o)
                           (and (overlay-get o 'eglot--inlay-hint)
                                (string-match-p "tok" (or (overlay-get o 'after-string)
                                                          (overlay-get o 'before-string) ""))))
                         (overlays-in (point-min) (point-max)))))
    (should (imenu--make-index-alist t))))

(ert-deftest cachewise-quick-fix ()
  (cw-with "bad.json"
    (goto-char (flymake-diagnostic-beg (cw-error)))
    (cw-apply "5m")
    (save-buffer)
    (goto-char (point-min))
    (should-not (search-forward "2h" nil t))))

(ert-deftest cachewise-insert-breakpoint ()
  (cw-with "plain.json"
    (search-forward "You answer")
    (cw-apply "Insert cache breakpoint here (5m)")
    (save-buffer)
    (goto-char (point-min))
    (should (search-forward "cache_control" nil t))))

(ert-deftest cachewise-columns-are-characters-here ()
  (cw-with "one-line.json"
    (let ((found (cw-error)))
      (should (string-match-p "2h" (buffer-substring (flymake-diagnostic-beg found)
                                                     (flymake-diagnostic-end found))))
      (should (< (- (flymake-diagnostic-end found) (flymake-diagnostic-beg found)) 20)))))

(ert-run-tests-batch-and-exit)
;;; eglot.el ends here
